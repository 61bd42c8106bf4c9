/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two front ends of transcendent memory have in common. */
#ifndef _MM_TMEM_H
#define _MM_TMEM_H

#include <linux/cc_platform.h>
#include <linux/init.h>
#include <linux/kobject.h>

struct kobject * __init tmem_kobject(void);

/**
 * tmem_confidential - must this kernel's memory stay inside?
 * @outside: The backend keeps pages outside of the guest.
 * @guest: CC_ATTR_GUEST_MEM_ENCRYPT holds.
 * @mem: CC_ATTR_MEM_ENCRYPT holds.
 * @host: CC_ATTR_HOST_MEM_ENCRYPT holds.
 *
 * A confidential guest trusts nothing outside. On x86 @mem alone may also mean
 * a host with SME, which protects the host's own memory and does not count;
 * elsewhere it is set in confidential guests only.
 *
 * Return: true if the backend must get nothing.
 */
static inline bool tmem_confidential(bool outside, bool guest, bool mem,
				     bool host)
{
	return outside && (guest || (mem && !host));
}

/**
 * tmem_platform_refuses - must a backend get nothing on this platform?
 * @outside: The backend keeps pages outside of the guest.
 *
 * Return: true if this is a confidential guest and the backend outside.
 */
static inline bool tmem_platform_refuses(bool outside)
{
	return tmem_confidential(outside,
				 cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT),
				 cc_platform_has(CC_ATTR_MEM_ENCRYPT),
				 cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT));
}

#endif /* _MM_TMEM_H */
