# SPDX-License-Identifier: GPL-2.0-only
# Read by make after Xen's own Makefile, by scripts/xenbase.py: makes one object and
# what objects may include. The build makes more for all of Xen, but checks of public
# headers and the rest of compat/xlat.h take longer than everything here.
tmem-object: tools_fixdep
	$(Q)$(MAKE) $(build)=include xlat-y=xen.h lib-x86-all \
		$(addprefix include/compat/,arch-x86/xen.h arch-x86/xen-x86_32.h \
			vcpu.h xen.h xlat.h)
	$(Q)$(MAKE) $(build)=arch/x86 include
	$(Q)$(MAKE) $(build)=. arch/x86/include/asm/asm-offsets.h
	$(Q)$(MAKE) $(build)=common common/xmalloc_tlsf.o
