// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a guest of the boot rig.
 *
 * It turns the distribution image and the payload into a root file system,
 * runs the scenario's script there, and leaves a verdict on a virtio-serial
 * port, or in a domain of Xen's, which has no such port, on a disk.  Only the word "success" counts on the host: whatever stops this
 * program before it gets there is a failure without further reasoning.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENARIO_MAX	65536
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define EXIT_SKIP	4

/* kmemleak reports an object only when it is older than five seconds. */
#define KMEMLEAK_AGE	6

/* What is written there has to stay when the machine is gone. */
static int open_port(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/virtio-ports/tmem.%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/dev/tmem/%s", name);
		fd = open(path, O_WRONLY | O_DSYNC | O_CLOEXEC);
	}
	return fd;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
finish(const char *format, ...)
{
	va_list args;
	int port;

	sync();
	port = open_port("verdict");
	va_start(args, format);
	vdprintf(port >= 0 ? port : STDERR_FILENO, format, args);
	va_end(args);
	if (port >= 0)
		close(port);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void mount_or_die(const char *source, const char *target,
			 const char *type, unsigned long flags)
{
	if (mount(source, target, type, flags, NULL))
		finish("failure: cannot mount %s on %s: %s\n", source, target,
		       strerror(errno));
}

static ssize_t read_file(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY);

	if (fd >= 0) {
		while (length < size - 1 &&
		       (n = read(fd, buffer + length, size - 1 - length)) > 0)
			length += n;
		close(fd);
	}
	buffer[length] = '\0';
	return n < 0 ? -1 : (ssize_t)length;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static void set(const char *path, const char *value)
{
	if (write_file(path, value))
		finish("failure: cannot write %s to %s: %s\n", value, path,
		       strerror(errno));
}

/*
 * Every entry of a class in /sys has an attribute that says how the host named
 * it; @directory gets a link of that name to the device.
 */
static void link_by_name(const char *class, const char *attribute,
			 const char *directory)
{
	char path[512], name[128], link[512];
	struct dirent *entry;
	DIR *entries = opendir(class);

	mkdir(directory, 0755);
	while (entries && (entry = readdir(entries))) {
		snprintf(path, sizeof(path), "%s/%s/%s", class, entry->d_name,
			 attribute);
		if (read_file(path, name, sizeof(name)) <= 0)
			continue;
		name[strcspn(name, "\n")] = '\0';
		snprintf(link, sizeof(link), "%s/%s", directory, name);
		snprintf(path, sizeof(path), "../%s", entry->d_name);
		if (*name)
			symlink(path, link);
	}
	if (entries)
		closedir(entries);
}

/* The disks of a Xen domain have no names: "xvda=NAME" on the command line. */
static void link_xen_disks(void)
{
	char link[512], target[512];
	struct dirent *entry;
	DIR *entries = opendir("/sys/block");

	while (entries && (entry = readdir(entries))) {
		const char *name = getenv(entry->d_name);

		if (strncmp(entry->d_name, "xvd", 3) || !name)
			continue;
		snprintf(link, sizeof(link), "/dev/tmem/%s", name);
		snprintf(target, sizeof(target), "../%s", entry->d_name);
		symlink(target, link);
	}
	if (entries)
		closedir(entries);
}

static void mount_kernel_views(void)
{
	mkdir("/dev", 0755);
	mkdir("/proc", 0555);
	mkdir("/sys", 0555);
	mkdir("/root", 0755);
	/* The kernel may have mounted /dev already. */
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		finish("failure: cannot mount /dev: %s\n", strerror(errno));
	mount_or_die("proc", "/proc", "proc", 0);
	mount_or_die("sys", "/sys", "sysfs", 0);
	link_by_name("/sys/block", "serial", "/dev/tmem");
	link_xen_disks();
	link_by_name("/sys/class/virtio-ports", "name", "/dev/virtio-ports");
	symlink("/proc/self/fd", "/dev/fd");
}

static void enter_root(void)
{
	static char script[SCENARIO_MAX];

	if (read_file("/scenario", script, sizeof(script)) < 0 &&
	    read_file("/dev/tmem/scenario", script, sizeof(script)) < 0)
		finish("failure: no scenario in the initramfs or on a disk\n");
	mount_or_die("/dev/tmem/root", "/root", "ext4", MS_RDONLY);
	mount_or_die("/dev/tmem/payload", "/root/opt/tmem", "ext4", MS_RDONLY);
	mount_or_die("/root/opt/tmem/modules", "/root/lib/modules", NULL,
		     MS_BIND);
	mount_or_die("/dev", "/root/dev", NULL, MS_MOVE);
	mount_or_die("/proc", "/root/proc", NULL, MS_MOVE);
	mount_or_die("/sys", "/root/sys", NULL, MS_MOVE);

	/* Everything on the initramfs is memory: leave nothing behind. */
	unlink("/scenario");
	unlink("/init");
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		finish("failure: cannot enter the image: %s\n",
		       strerror(errno));

	mount_or_die("tmpfs", "/tmp", "tmpfs", 0);
	mount_or_die("tmpfs", "/run", "tmpfs", 0);
	mount_or_die("tmpfs", "/mnt", "tmpfs", 0);
	mount_or_die("debugfs", "/sys/kernel/debug", "debugfs", 0);
	mount_or_die("tracefs", "/sys/kernel/tracing", "tracefs", 0);
	mount_or_die("cgroup2", "/sys/fs/cgroup", "cgroup2", 0);
	mkdir("/dev/shm", 01777);
	mount_or_die("tmpfs", "/dev/shm", "tmpfs", 0);
	set("/run/scenario", script);
}

static void set_environment(void)
{
	sethostname("tmem", 4);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("LC_ALL", "C", 1);
	set("/proc/sys/kernel/printk", "7 4 1 7");
	set("/proc/sys/kernel/panic", "-1");
	set("/proc/sys/kernel/panic_on_warn", "1");
	set("/proc/sys/kernel/panic_on_oops", "1");
	set("/proc/sys/kernel/hung_task_panic", "1");
	set("/proc/sys/kernel/softlockup_panic", "1");
}

static void put(int fd, const char *text, ssize_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n <= 0)
			return;
		text += n;
		length -= n;
	}
}

/* Copies what the script prints to the console and to the log port. */
static int copy_output(int from, int log)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof(buffer));

	if (n > 0) {
		put(STDOUT_FILENO, buffer, n);
		put(log, buffer, n);
	}
	return n > 0;
}

/* Children that the script left behind may hold the pipe open: poll. */
static int run_script(void)
{
	int log = open_port("log");
	int status = 0, output[2];
	pid_t child, gone;

	if (log < 0 || pipe2(output, O_CLOEXEC))
		finish("failure: no log port\n");
	child = fork();
	if (!child) {
		setsid();
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		if (!chdir("/opt/tmem/selftests"))
			execl("/bin/sh", "sh", "-e", "/run/scenario", NULL);
		_exit(127);
	}
	close(output[1]);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	do {
		struct pollfd wait = { .fd = output[0], .events = POLLIN };

		if (poll(&wait, 1, 100) > 0 && !copy_output(output[0], log))
			poll(NULL, 0, 100);
		gone = waitpid(-1, &status, WNOHANG);
	} while (gone != child);
	while (copy_output(output[0], log))
		;
	close(log);
	return status;
}

/* An object is reported when two scans in a row have not found it. */
static void check_leaks(void)
{
	static char report[16384];

	sleep(KMEMLEAK_AGE);
	set(KMEMLEAK, "scan");
	sleep(1);
	set(KMEMLEAK, "scan");
	if (read_file(KMEMLEAK, report, sizeof(report)) > 0) {
		put(STDOUT_FILENO, report, strlen(report));
		finish("failure: kmemleak reports objects, see the console\n");
	}
}

static void check_taint(void)
{
	const char *allowed = getenv("tmem_taint");
	char text[32];
	unsigned long taint;

	if (read_file("/proc/sys/kernel/tainted", text, sizeof(text)) <= 0)
		finish("failure: cannot read the kernel's taint\n");
	taint = strtoul(text, NULL, 0);
	if (allowed)
		taint &= ~strtoul(allowed, NULL, 0);
	if (taint)
		finish("failure: kernel is tainted: %#lx\n", taint);
}

int main(void)
{
	int leaks, status;

	if (getpid() != 1)
		return 1;
	mount_kernel_views();
	if (getenv("tmem_probe"))
		finish("success\n");
	enter_root();
	set_environment();
	leaks = !access(KMEMLEAK, W_OK);
	if (leaks)
		set(KMEMLEAK, "clear");
	status = run_script();
	if (leaks)
		check_leaks();
	check_taint();
	if (WIFSIGNALED(status))
		finish("failure: script died of signal %d\n", WTERMSIG(status));
	if (WEXITSTATUS(status) == EXIT_SKIP)
		finish("skip\n");
	if (WEXITSTATUS(status))
		finish("failure: script ended with status %d\n",
		       WEXITSTATUS(status));
	finish("success\n");
}
