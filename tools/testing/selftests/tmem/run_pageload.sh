#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does pageload see and name a page that is wrong? All other tests rely on it.

. "$(dirname "$0")/tmem_lib.sh"

plan 6

pageload -m 1 -z 5 fill age=50 verify >"$tmp/out"
check "pages that are right: status" $? -eq 0
for kind in stale foreign torn zero; do
	pageload -m 1 -z 5 fill age verify corrupt=$kind verify >"$tmp/out"
	check_that "a page that is $kind is found" \
		grep -q "^verify: .* $kind=1 " "$tmp/out"
done
(pageload -m 1 fill age corrupt=torn verify >"$tmp/out")
check "a page that is wrong: status" $? -eq 1

finish
