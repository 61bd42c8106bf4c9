# SPDX-License-Identifier: GPL-2.0
# tmem: transcendent memory for Linux and Xen. "make help" lists the targets.

BASE ?= 6.12
BACKEND ?= zcache
SERIES := out/series/linux-$(BASE)

export TMEM_BASE := $(BASE)

.PHONY: help setup base compose absorb lint unit fuzz series build run test
.PHONY: xen-tools xen-historic test-all soak bench bench-locks bench-engine clean

help:
	@echo 'make run        everything from nothing to three guests: what tmem saves'
	@echo '                BACKEND=fake: tmem is the other half of the memory, not zcache'
	@echo '                BACKEND=xen: in domains on Xen, which is the store'
	@echo 'make test       all checks and tests; make test T=NAME for one (T=list)'
	@echo 'make test-all   the full matrix'
	@echo 'make xen-tools  xl with commands for tmem, for /opt/xen-tmem of a dom0'
	@echo 'make xen-historic  the driver on a Xen of yours: XEN_SRC=path, 4.0 to 4.12'
	@echo 'make soak       exercise files and the engine without end; SEED=n begins there'
	@echo 'make unit       the engine in user space, under sanitizers'
	@echo 'make fuzz       a fuzzer on the engine, without end'
	@echo 'make bench      zcache beside zswap, zram and others, in instructions'
	@echo 'make bench-locks   which locks their CPUs wait for'
	@echo 'make bench-engine  how fast the engine is, compared and alone'
	@echo 'make series     the patches, in $(SERIES) and xen-4.17'
	@echo 'make compose    the trees of Linux and Xen with the series, in the cache'
	@echo 'make absorb     bring edits made in that tree back here'
	@echo 'make lint       the checks that need no kernel build'
	@echo 'make build      the kernel of the guests'
	@echo 'make clean      remove out/ (the cache stays)'
	@echo
	@echo 'KERNEL_SRC=path a directory or tarball of Linux $(BASE).y as the base'
	@echo 'XEN_SRC=path    the same for Xen 4.17'
	@echo 'TMEM_CACHE=path for sources, kernels and images (~/.cache/tmem); 25 GB'

setup:
	@scripts/setup

base: setup
	@scripts/overlay fetch
	@scripts/overlay fetch --base xen-4.17

compose: base
	@scripts/overlay compose
	@scripts/overlay compose --base xen-4.17

absorb: setup
	@scripts/overlay absorb

lint: setup
	@scripts/test overlay compose style

unit: setup
	@scripts/unit

fuzz: setup
	@scripts/unit --fuzz

bench: compose
	@qemu/build bench
	@qemu/image >/dev/null
	@qemu/bench

bench-locks: compose
	@qemu/build lockstat
	@qemu/image >/dev/null
	@qemu/locks

bench-engine: compose
	@scripts/setup libglib2.0-dev valgrind
	@scripts/bench-engine $(T)

series: compose
	@scripts/overlay export -o $(SERIES)
	@scripts/overlay export --base xen-4.17 -o out/series/xen-4.17
	@scripts/test style commits

build: compose
	@qemu/build plain

ifeq ($(filter run,$(MAKECMDGOALS))$(filter zcache fake xen,$(BACKEND)),run)
$(error BACKEND=$(BACKEND): zcache, fake or xen is meant)
endif

xen-tools: compose
	@qemu/build xen-tools

run: compose
	@qemu/build plain $(filter xen,$(BACKEND))
	@qemu/image >/dev/null
	@qemu/run --backend $(BACKEND)

test: setup
ifeq ($(T),list)
	@scripts/test --list
else
	@scripts/test $(T)
endif

test-all: setup
	@scripts/setup binutils-aarch64-linux-gnu
	@scripts/test --all

xen-historic: setup
	@scripts/overlay fetch
	@scripts/overlay compose
	@qemu/build xen-historic plain
	@qemu/boot xen-historic

soak: setup
	@scripts/test --soak $(SEED)

clean:
	rm -rf out
