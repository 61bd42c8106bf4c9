/*
 * Transcendent memory: what domains may have, and what they have
 *
 * This program is free software; you can redistribute it and/or modify
 * it under the terms of the GNU Lesser General Public License as published
 * by the Free Software Foundation; version 2.1 only. with the special
 * exception on linking described in file LICENSE.
 *
 * This program is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
 * GNU Lesser General Public License for more details.
 */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <xen-tools/libs.h>

#include "xl.h"
#include "xl_utils.h"

#define PAGE_BYTES 4096
#define MB(pages) ((double)(pages) * PAGE_BYTES / (1 << 20))

static void usage(const char *command, const char *what)
{
    fprintf(stderr, "xl %s: %s\n\n", command, what);
    help(command);
    exit(2);
}

/*
 * After the options: takes a domain, and then there may be options again. Returns
 * false at the end.
 */
static bool take_domain(int argc, char **argv, const char *command,
                        const char **domain)
{
    if (optind >= argc)
        return false;
    if (*domain)
        usage(command, "one domain at a time");
    *domain = argv[optind++];
    return true;
}

static long number(const char *command, const char *text, long max,
                   const char *what)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 0 || value > max) {
        fprintf(stderr, "xl %s: \"%s\" is no %s, which is a number from 0 to "
                "%ld\n", command, text, what, max);
        exit(EXIT_FAILURE);
    }
    return value;
}

static libxl_tmem_mode mode(const char *command, const char *text)
{
    libxl_tmem_mode value;

    if (libxl_tmem_mode_from_string(text, &value) ||
        value == LIBXL_TMEM_MODE_UNKNOWN) {
        fprintf(stderr, "xl %s: \"%s\" is no mode, which is disabled, "
                "enabled or persistent\n", command, text);
        exit(EXIT_FAILURE);
    }
    return value;
}

static uint64_t quota_memkb(const char *command, const char *text)
{
    if (!strcmp(text, "none"))
        return LIBXL_TMEM_QUOTA_NONE;
    return (uint64_t)number(command, text, INT_MAX, "quota in MB") << 10;
}

static void print_stats(const char *indent, const libxl_tmem_stats *stats)
{
    printf("%sputs %"PRIu64" (%"PRIu64" again), refused %"PRIu64", "
           "hits %"PRIu64", misses %"PRIu64", flushed %"PRIu64", "
           "evicted %"PRIu64"\n", indent, stats->puts, stats->overwrites,
           stats->refused, stats->hits, stats->misses, stats->flushed,
           stats->evicted);
}

static void print_long(const libxl_tmem_info *info)
{
    int i;

    printf("    pages: ephemeral %"PRIu64", persistent %"PRIu64
           ", charged %"PRIu64"; objects %"PRIu64", metadata %"PRIu64
           " bytes\n", info->ephemeral_pages, info->persistent_pages,
           info->charged_pages, info->objects, info->metadata_bytes);
    print_stats("    ", &info->stats);
    for (i = 0; i < info->params.num_shared; i++)
        printf("    may share "LIBXL_UUID_FMT"\n",
               LIBXL_UUID_BYTES(info->params.shared[i]));
    for (i = 0; i < info->num_pools; i++) {
        const libxl_tmem_poolinfo *pool = &info->pools[i];

        printf("    pool %"PRIu32", %s, "LIBXL_UUID_FMT": pages %"PRIu64
               ", objects %"PRIu64"\n", pool->id,
               libxl_tmem_pool_type_to_string(pool->type),
               LIBXL_UUID_BYTES(pool->uuid), pool->pages, pool->objects);
        print_stats("        ", &pool->stats);
    }
}

static void print_list(const libxl_tmem_info *list, int nb, bool details)
{
    int i;

    printf("%-30s %5s %-10s %-6s %6s %10s %10s %10s %5s\n", "Name", "ID",
           "Mode", "State", "Weight", "Quota/MB", "Persist/MB", "Ephem/MB",
           "Pools");
    for (i = 0; i < nb; i++) {
        const libxl_tmem_info *info = &list[i];
        char quota[24] = "-";

        if (info->params.quota_memkb != LIBXL_MEMKB_DEFAULT)
            snprintf(quota, sizeof(quota), "%"PRIu64,
                     info->params.quota_memkb >> 10);
        printf("%-30s %5"PRIu32" %-10s %-6s %6d %10s %10.1f %10.1f %5d\n",
               info->name ?: "", info->domid,
               libxl_tmem_mode_to_string(info->params.mode),
               info->frozen ? "frozen" : "-", info->params.weight, quota,
               MB(info->persistent_pages), MB(info->ephemeral_pages),
               info->num_pools);
        if (details)
            print_long(info);
    }
}

struct metric {
    const char *name, *type, *help;
    size_t offset;
    unsigned int factor;
};

#define METRIC(of, member, name, type, factor, help) \
    { "xen_tmem_" name, type, help, offsetof(libxl_tmem_##of, member), factor }
#define COUNTER(of, level, counter, help) \
    METRIC(of, stats.counter, level "_" #counter "_total", "counter", 1, help)
#define COUNTERS(of, level) \
    COUNTER(of, level, puts, "Pages that were put."), \
    COUNTER(of, level, overwrites, "Puts that replaced an older page."), \
    COUNTER(of, level, refused, "Puts that were refused."), \
    COUNTER(of, level, hits, "Gets that found a page."), \
    COUNTER(of, level, misses, "Gets that did not."), \
    COUNTER(of, level, flushed, "Pages that the domain flushed."), \
    COUNTER(of, level, evicted, "Pages that Xen evicted.")

static const struct metric domain_metrics[] = {
    METRIC(info, persistent_pages, "domain_persistent_bytes", "gauge",
           PAGE_BYTES, "Pages in persistent pools."),
    METRIC(info, ephemeral_pages, "domain_ephemeral_bytes", "gauge",
           PAGE_BYTES, "Pages in ephemeral pools."),
    METRIC(info, charged_pages, "domain_charged_bytes", "gauge", PAGE_BYTES,
           "Counted as memory of the domain."),
    METRIC(info, metadata_bytes, "domain_metadata_bytes", "gauge", 1,
           "Memory to find pages with."),
    METRIC(info, objects, "domain_objects", "gauge", 1, "Objects in pools."),
    COUNTERS(info, "domain"),
};

static const struct metric pool_metrics[] = {
    METRIC(poolinfo, pages, "pool_bytes", "gauge", PAGE_BYTES,
           "Pages in the pool."),
    METRIC(poolinfo, objects, "pool_objects", "gauge", 1,
           "Objects in the pool."),
    COUNTERS(poolinfo, "pool"),
};

static void print_metric(const char *name, const char *type, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* name{domain="...",domid="...", and the caller says more, and "} ". */
static void print_labels(const char *name, const libxl_tmem_info *info)
{
    const char *c;

    printf("%s{domain=\"", name);
    for (c = info->name ?: ""; *c; c++) {
        if (*c == '\n')
            printf("\\n");
        else
            printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    printf("\",domid=\"%"PRIu32"\"", info->domid);
}

static uint64_t metric_value(const struct metric *metric, const void *in)
{
    return *(const uint64_t *)((const char *)in + metric->offset) *
           metric->factor;
}

static void print_params(const libxl_tmem_info *list, int nb)
{
    int i;

    print_metric("xen_tmem_domain_frozen", "gauge",
                 "1 if no new pages are taken.");
    for (i = 0; i < nb; i++) {
        print_labels("xen_tmem_domain_frozen", &list[i]);
        printf("} %d\n", list[i].frozen);
    }
    print_metric("xen_tmem_domain_weight", "gauge",
                 "Share of ephemeral memory, relative to other domains.");
    for (i = 0; i < nb; i++) {
        print_labels("xen_tmem_domain_weight", &list[i]);
        printf("} %d\n", list[i].params.weight);
    }
    print_metric("xen_tmem_domain_quota_bytes", "gauge",
                 "The most that persistent pools may hold.");
    for (i = 0; i < nb; i++) {
        print_labels("xen_tmem_domain_quota_bytes", &list[i]);
        if (list[i].params.quota_memkb == LIBXL_MEMKB_DEFAULT)
            printf("} +Inf\n");
        else
            printf("} %"PRIu64"\n", list[i].params.quota_memkb << 10);
    }
}

/* The text format of Prometheus: all samples of a metric stand together. */
static void print_prometheus(const libxl_tmem_info *list, int nb)
{
    const struct metric *metric;
    unsigned int m;
    int i, j;

    print_params(list, nb);
    for (m = 0; m < ARRAY_SIZE(domain_metrics); m++) {
        metric = &domain_metrics[m];
        print_metric(metric->name, metric->type, metric->help);
        for (i = 0; i < nb; i++) {
            print_labels(metric->name, &list[i]);
            printf("} %"PRIu64"\n", metric_value(metric, &list[i]));
        }
    }
    for (m = 0; m < ARRAY_SIZE(pool_metrics); m++) {
        metric = &pool_metrics[m];
        print_metric(metric->name, metric->type, metric->help);
        for (i = 0; i < nb; i++) {
            for (j = 0; j < list[i].num_pools; j++) {
                const libxl_tmem_poolinfo *pool = &list[i].pools[j];

                print_labels(metric->name, &list[i]);
                printf(",pool=\"%"PRIu32"\",type=\"%s\"} %"PRIu64"\n",
                       pool->id, libxl_tmem_pool_type_to_string(pool->type),
                       metric_value(metric, pool));
            }
        }
    }
}

static int list_structures(uint32_t domid, bool details, bool prometheus)
{
    libxl_tmem_info *list;
    int nb = 1;

    if (domid == INVALID_DOMID) {
        list = libxl_tmem_info_list(ctx, &nb);
        if (!list)
            return EXIT_FAILURE;
    } else {
        list = xmalloc(sizeof(*list));
        libxl_tmem_info_init(list);
        if (libxl_tmem_info_get(ctx, domid, list)) {
            libxl_tmem_info_list_free(list, nb);
            return EXIT_FAILURE;
        }
    }
    if (prometheus)
        print_prometheus(list, nb);
    else
        print_list(list, nb, details);
    libxl_tmem_info_list_free(list, nb);

    return EXIT_SUCCESS;
}

int main_tmem_list(int argc, char **argv)
{
    static const struct option opts[] = {
        {"long", 0, 0, 'l'},
        {"all", 0, 0, 'a'},
        {"json", 0, 0, 'j'},
        {"prometheus", 0, 0, 'P'},
        COMMON_LONG_OPTS
    };
    bool details = false, all = false, json = false, prometheus = false;
    static const char command[] = "tmem-list";
    uint32_t domid = INVALID_DOMID;
    const char *domain = NULL;
    char *text;
    int opt;

    do {
        SWITCH_FOREACH_OPT(opt, "laj", opts, command, 0) {
        case 'l':
            details = true;
            break;
        case 'a':
            all = true;
            break;
        case 'j':
            json = true;
            break;
        case 'P':
            prometheus = true;
            break;
        }
    } while (take_domain(argc, argv, command, &domain));

    if (all && domain)
        usage(command, "name a domain, or say -a for all of them");
    if (json && prometheus)
        usage(command, "--json or --prometheus, not both");
    if (domain)
        domid = find_domain(domain);

    if (!json)
        return list_structures(domid, details, prometheus);

    text = libxl_tmem_list(ctx, domid, true);
    if (!text)
        return EXIT_FAILURE;
    printf("%s", text);
    free(text);

    return EXIT_SUCCESS;
}

static int freeze_or_thaw(int argc, char **argv, const char *command,
                          int (*libxl)(libxl_ctx *, uint32_t))
{
    static const struct option opts[] = {
        {"all", 0, 0, 'a'},
        COMMON_LONG_OPTS
    };
    const char *domain = NULL;
    bool all = false;
    int opt;

    do {
        SWITCH_FOREACH_OPT(opt, "a", opts, command, 0) {
        case 'a':
            all = true;
            break;
        }
    } while (take_domain(argc, argv, command, &domain));

    if (all == !!domain)
        usage(command, "name a domain, or say -a for all of them");
    return libxl(ctx, all ? INVALID_DOMID : find_domain(domain)) ?
           EXIT_FAILURE : EXIT_SUCCESS;
}

int main_tmem_freeze(int argc, char **argv)
{
    return freeze_or_thaw(argc, argv, "tmem-freeze", libxl_tmem_freeze);
}

int main_tmem_thaw(int argc, char **argv)
{
    return freeze_or_thaw(argc, argv, "tmem-thaw", libxl_tmem_thaw);
}

int main_tmem_set(int argc, char **argv)
{
    static const struct option opts[] = {
        {"mode", 1, 0, 'm'},
        {"weight", 1, 0, 'w'},
        {"quota", 1, 0, 'p'},
        COMMON_LONG_OPTS
    };
    static const char command[] = "tmem-set";
    const char *domain = NULL;
    libxl_tmem_params params;
    bool some = false;
    int opt, rc;

    libxl_tmem_params_init(&params);
    do {
        SWITCH_FOREACH_OPT(opt, "m:w:p:", opts, command, 0) {
        case 'm':
            params.mode = mode(command, optarg);
            some = true;
            break;
        case 'w':
            params.weight = number(command, optarg, LIBXL_TMEM_WEIGHT_MAX,
                                   "weight");
            some = true;
            break;
        case 'p':
            params.quota_memkb = quota_memkb(command, optarg);
            some = true;
            break;
        }
    } while (take_domain(argc, argv, command, &domain));

    if (!domain)
        usage(command, "name a domain");
    if (!some)
        usage(command, "nothing to set: -m, -w or -p is needed");
    rc = libxl_tmem_params_set(ctx, find_domain(domain), &params);
    libxl_tmem_params_dispose(&params);

    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main_tmem_shared_auth(int argc, char **argv)
{
    static const struct option opts[] = {
        {"uuid", 1, 0, 'u'},
        {"auth", 1, 0, 'A'},
        COMMON_LONG_OPTS
    };
    static const char command[] = "tmem-shared-auth";
    const char *domain = NULL;
    char *uuid = NULL;
    long auth = -1;
    int opt;

    do {
        SWITCH_FOREACH_OPT(opt, "u:A:", opts, command, 0) {
        case 'u':
            uuid = optarg;
            break;
        case 'A':
            auth = number(command, optarg, 1, "authorisation");
            break;
        }
    } while (take_domain(argc, argv, command, &domain));

    if (!domain)
        usage(command, "name a domain");
    if (!uuid || auth < 0)
        usage(command, "-u and -A are needed");

    return libxl_tmem_shared_auth(ctx, find_domain(domain), uuid, auth) ?
           EXIT_FAILURE : EXIT_SUCCESS;
}

int main_tmem_freeable(int argc, char **argv)
{
    int opt, mb;

    SWITCH_FOREACH_OPT(opt, "", NULL, "tmem-freeable", 0) {
        /* No options */
    }

    if (argv[optind])
        usage("tmem-freeable", "it is a number of the host, not of a domain");
    mb = libxl_tmem_freeable(ctx);
    if (mb < 0)
        return EXIT_FAILURE;
    printf("%d\n", mb);

    return EXIT_SUCCESS;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
