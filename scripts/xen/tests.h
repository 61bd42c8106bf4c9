/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests of Xen's side, in the order in which they run.
 */
#ifndef _TESTS_H
#define _TESTS_H

#define XEN_TESTS(T)							\
	/* test_calls.c */						\
	T(results_without_tmem)						\
	T(results_of_new_pool)						\
	T(first_pool_of_two)						\
	T(results_of_destroy_pool)					\
	T(results_of_pages)						\
	T(results_of_bad_frames)					\
	T(results_while_frozen)						\
	T(results_without_memory)					\
	T(results_of_unknown_commands)					\
	T(results_of_pool_pages)					\
	T(results_on_no_pool)						\
	T(guests_of_32_bits)						\
	T(structures_nowhere)						\
	T(xsm_refuses)							\
	T(ranges)							\
	T(switches)							\
	T(switches_that_are_wrong)					\
	/* test_control.c */						\
	T(control_without_tmem)						\
	T(control_of_unknown_commands)					\
	T(control_checks_each_field)					\
	T(control_checks_what_it_sets)					\
	T(control_of_no_domain)						\
	T(control_of_pools)						\
	/* test_effects.c */						\
	T(control_before_the_first_pool)				\
	T(control_of_a_first_pool)					\
	T(control_takes_tmem_away)					\
	T(control_of_quota)						\
	T(control_freezes)						\
	T(control_freezes_all)						\
	T(control_evicts)						\
	T(control_destroys)						\
	T(control_tells)						\
	T(control_after_a_reset)					\
	/* test_shares.c */						\
	T(shares)							\
	T(share_of_a_late_domain)					\
	T(share_of_the_frozen)						\
	/* test_dying.c */						\
	T(control_of_the_dying)						\
	T(control_of_the_just_made)					\
	T(control_while_they_die)					\
	/* test_auth.c */						\
	T(auth_is_checked)						\
	T(auth_is_told)							\
	T(auth_makes_shared)						\
	T(auth_is_withdrawn)						\
	T(auth_is_withdrawn_in_parts)					\
	T(auth_of_who_crashes)						\
	T(auth_last_one_out)						\
	T(auth_withdrawn_meanwhile)					\
	T(auth_withdrawn_while_used)					\
	/* test_batch.c */						\
	T(batch_in_order)						\
	T(batch_of_bad_entries)						\
	T(batch_without_a_pool)						\
	T(batch_in_mixed_pools)						\
	T(batch_of_too_many)						\
	T(batch_nowhere)						\
	T(batch_that_cannot_continue)					\
	T(batch_continued_after_each_entry)				\
	T(batch_tampered_with)						\
	T(batch_without_tmem_any_more)					\
	/* test_preempt.c */						\
	T(64_pages_flush_object)					\
	T(64_pages_flush_range)						\
	T(64_pages_destroy_pool)					\
	T(64_pages_teardown)						\
	T(64_pages_batch)						\
	T(others_go_on_between)						\
	T(pool_half_destroyed)						\
	T(dying_between)						\
	T(evictions_of_a_put)						\
	/* test_charge.c */						\
	T(full_pool_then_grow)						\
	T(full_domain_then_put)						\
	T(pool_of_a_full_domain)					\
	T(charge_of_metadata)						\
	T(charge_in_any_order)						\
	T(charge_on_threads)						\
	T(dom0_without_a_maximum)					\
	T(charge_of_the_dying)						\
	T(reserve)							\
	T(ephemeral_metadata_is_bounded)				\
	T(metadata_goes_with_its_pages)					\
	T(each_allocation_evicts)					\
	T(first_pool_evicts)						\
	T(each_allocation_fails)					\
	T(give_back)							\
	T(give_back_where_it_helps)					\
	T(table_for_all_memory)						\
	/* test_frames.c */						\
	T(put_from_each_type)						\
	T(get_to_each_type)						\
	T(get_to_a_page_table)						\
	T(frames_that_are_none)						\
	T(log_dirty)							\
	T(type_changes_meanwhile)					\
	T(nobody_sees_what_was_there)					\
	/* test_history.c */						\
	T(xsa15a_control_is_refused)					\
	T(xsa15b_ids_of_pools)						\
	T(xsa15c_no_client)						\
	T(xsa15d_guest_memory_and_frames)				\
	T(xsa15e_offset_and_length)					\
	T(xsa15f_locks_of_a_get)					\
	T(xsa15g_locks_of_any_operation)				\
	T(wrong1_pool_destroyed_in_use)					\
	T(wrong2_pool_half_made)					\
	T(wrong4_one_lock_for_all)					\
	T(wrong5_weights_of_the_dead)					\
	T(wrong7_bad_get_then_evicted)					\
	T(wrong9_all_domains_are_told)					\
	T(wrong10_who_has_most_gives)					\
	T(fixed_domain_death)						\
	T(soft_reset)							\
	T(fixed_counts_that_drift)					\
	T(fixed_huge_object_in_use)					\
	T(fixed_false_success)						\
	T(fixed_sharing)						\
	T(fixed_no_deduplication)					\
	T(fixed_two_puts_make_an_object)

#define XEN_TEST(name) void test_##name(struct tmem_test *test);
XEN_TESTS(XEN_TEST)
#undef XEN_TEST

#endif /* _TESTS_H */
