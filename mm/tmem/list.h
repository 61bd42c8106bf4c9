/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of the tmem engine, circular and doubly linked: hosts have some of their
 * own, but not the same.
 */
#ifndef _TMEM_LIST_H
#define _TMEM_LIST_H

struct tmem_list {
	struct tmem_list *next;
	struct tmem_list *prev;
};

#define tmem_list_entry(list, type, member) \
	((type *)((char *)(list) - offsetof(type, member)))

static inline void tmem_list_init(struct tmem_list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool tmem_list_empty(const struct tmem_list *list)
{
	return list->next == list;
}

/* Behind @head, which makes it the first if @head is a list's head */
static inline void tmem_list_add(struct tmem_list *head, struct tmem_list *new)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static inline void tmem_list_del(struct tmem_list *old)
{
	old->prev->next = old->next;
	old->next->prev = old->prev;
}

static inline void tmem_list_move(struct tmem_list *head, struct tmem_list *old)
{
	tmem_list_del(old);
	tmem_list_add(head, old);
}

#endif /* _TMEM_LIST_H */
