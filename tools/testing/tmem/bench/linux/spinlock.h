/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XArray's lock in the benchmark: the same as the engine's.
 */
#ifndef _LINUX_SPINLOCK_H
#define _LINUX_SPINLOCK_H

#include "../tmem_host.h"

#define spinlock_t				struct tmh_lock
#define spin_lock_init(lock)			tmh_lock_init(lock)
#define spin_lock(lock)				((void)tmh_lock(lock))
#define spin_unlock(lock)			tmh_unlock(lock, 0)
#define spin_lock_bh(lock)			spin_lock(lock)
#define spin_unlock_bh(lock)			spin_unlock(lock)
#define spin_lock_irq(lock)			spin_lock(lock)
#define spin_unlock_irq(lock)			spin_unlock(lock)
#define spin_lock_irqsave(lock, flags)		((flags) = tmh_lock(lock))
#define spin_unlock_irqrestore(lock, flags)	tmh_unlock(lock, flags)

#endif /* _LINUX_SPINLOCK_H */
