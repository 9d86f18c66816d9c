// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// The paravirtual faces as the core knows them: values of FACE in shared/layout.ts.

/** Nothing shows: VMCALL is an undefined opcode. */
export const FACE_NONE = 0;
/** VMCALL is how the ROM reaches the hypervisor. */
export const FACE_VMI = 1;
/** VMCALL is a KVM hypercall. */
export const FACE_KVM = 2;
export const FACE_VMWARE = 3;

/** Bytes of the structure that VMI's SetInitialAPState takes. */
export const AP_STATE_SIZE = 0x5c;

// SPACES_KEPT in shared/layout.ts: how TLB entries of address spaces that are left stay true.
/** They are dropped. */
export const SPACES_DROPPED = 0;
/** The core sees each write to the tables. */
export const SPACES_TRACKED = 1;
/** The guest announces each change through VMI. */
export const SPACES_ANNOUNCED = 2;
/** Tracked, until the guest makes its first SetCR3 and so turns out to announce. */
export const SPACES_OFFERED = 3;
