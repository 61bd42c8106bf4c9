/******************************************************************************
 * xc_tmem.c
 *
 * Transcendent memory: what domains may have, and what they have.
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation;
 * version 2.1 of the License.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; If not, see <http://www.gnu.org/licenses/>.
 */

#include "xc_private.h"

static int tmem_op(xc_interface *xch, uint32_t cmd, uint32_t domid,
                   struct xen_sysctl *sysctl)
{
    sysctl->cmd = XEN_SYSCTL_tmem_op;
    sysctl->u.tmem_op.cmd = cmd;
    sysctl->u.tmem_op.cli_id = domid;

    return do_sysctl(xch, sysctl);
}

int xc_tmem_get_client_info(xc_interface *xch, uint32_t domid,
                            xc_tmem_client_t *info)
{
    struct xen_sysctl sysctl = {};
    int rc;

    rc = tmem_op(xch, XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO, domid, &sysctl);
    if ( !rc )
        *info = sysctl.u.tmem_op.u.client;

    return rc;
}

int xc_tmem_set_client_info(xc_interface *xch, uint32_t domid,
                            const xc_tmem_client_t *info)
{
    struct xen_sysctl sysctl = {};

    sysctl.u.tmem_op.u.client.flags = info->flags & ~XEN_SYSCTL_TMEM_FROZEN;
    sysctl.u.tmem_op.u.client.weight = info->weight;
    sysctl.u.tmem_op.u.client.quota = info->quota;

    return tmem_op(xch, XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO, domid, &sysctl);
}

int xc_tmem_freeze(xc_interface *xch, uint32_t domid)
{
    struct xen_sysctl sysctl = {};

    return tmem_op(xch, XEN_SYSCTL_TMEM_OP_FREEZE, domid, &sysctl);
}

int xc_tmem_thaw(xc_interface *xch, uint32_t domid)
{
    struct xen_sysctl sysctl = {};

    return tmem_op(xch, XEN_SYSCTL_TMEM_OP_THAW, domid, &sysctl);
}

int xc_tmem_destroy(xc_interface *xch, uint32_t domid)
{
    struct xen_sysctl sysctl = {};

    return tmem_op(xch, XEN_SYSCTL_TMEM_OP_DESTROY, domid, &sysctl);
}

int xc_tmem_evict(xc_interface *xch, uint32_t domid, uint64_t *pages)
{
    struct xen_sysctl sysctl = {};
    int rc;

    sysctl.u.tmem_op.u.pages = *pages;
    rc = tmem_op(xch, XEN_SYSCTL_TMEM_OP_EVICT, domid, &sysctl);
    if ( !rc )
        *pages = sysctl.u.tmem_op.u.pages;

    return rc;
}

int xc_tmem_get_pools(xc_interface *xch, uint32_t domid,
                      xc_tmem_pool_t *pools, uint32_t *nr)
{
    struct xen_sysctl sysctl = {};
    int rc = -1;
    DECLARE_HYPERCALL_BOUNCE(pools, *nr * sizeof(*pools),
                             XC_HYPERCALL_BUFFER_BOUNCE_OUT);

    if ( xc_hypercall_bounce_pre(xch, pools) )
    {
        PERROR("Could not bounce memory for the tmem pools of domain %u",
               domid);
        return -1;
    }

    sysctl.u.tmem_op.nr = *nr;
    set_xen_guest_handle(sysctl.u.tmem_op.u.pools, pools);
    rc = tmem_op(xch, XEN_SYSCTL_TMEM_OP_GET_POOLS, domid, &sysctl);
    xc_hypercall_bounce_post(xch, pools);
    if ( !rc )
        *nr = sysctl.u.tmem_op.nr;

    return rc;
}

int xc_tmem_query_freeable_mb(xc_interface *xch, uint64_t *mb)
{
    struct xen_sysctl sysctl = {};
    int rc;

    rc = tmem_op(xch, XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB, 0, &sysctl);
    if ( !rc )
        *mb = sysctl.u.tmem_op.u.mb;

    return rc;
}

int xc_tmem_set_auth(xc_interface *xch, uint32_t domid,
                     const uint8_t uuid[16], bool auth)
{
    struct xen_sysctl sysctl = {};

    memcpy(sysctl.u.tmem_op.u.auth.uuid, uuid,
           sizeof(sysctl.u.tmem_op.u.auth.uuid));
    sysctl.u.tmem_op.u.auth.auth = auth;

    return tmem_op(xch, XEN_SYSCTL_TMEM_OP_SET_AUTH, domid, &sysctl);
}

int xc_tmem_get_auths(xc_interface *xch, uint32_t domid,
                      xc_tmem_uuid_t *auths, uint32_t *nr)
{
    struct xen_sysctl sysctl = {};
    int rc = -1;
    DECLARE_HYPERCALL_BOUNCE(auths, *nr * sizeof(*auths),
                             XC_HYPERCALL_BUFFER_BOUNCE_OUT);

    if ( xc_hypercall_bounce_pre(xch, auths) )
    {
        PERROR("Could not bounce memory for the shared pools of domain %u",
               domid);
        return -1;
    }

    sysctl.u.tmem_op.nr = *nr;
    set_xen_guest_handle(sysctl.u.tmem_op.u.auths, auths);
    rc = tmem_op(xch, XEN_SYSCTL_TMEM_OP_GET_AUTHS, domid, &sysctl);
    xc_hypercall_bounce_post(xch, auths);
    if ( !rc )
        *nr = sysctl.u.tmem_op.nr;

    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
