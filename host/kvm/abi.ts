/**
 * KVM's interface to its guests, as Linux's uapi headers asm/kvm_para.h and linux/kvm_para.h and
 * Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst name it. Constants only.
 */

export const KVM_SIGNATURE = 'KVMKVMKVM\0\0\0';
export const KVM_CPUID_SIGNATURE = 0x40000000;
export const KVM_CPUID_FEATURES = 0x40000001;

// Bits of KVM_CPUID_FEATURES EAX.
export const KVM_FEATURE_CLOCKSOURCE = 0;
export const KVM_FEATURE_NOP_IO_DELAY = 1;
export const KVM_FEATURE_CLOCKSOURCE2 = 3;
export const KVM_FEATURE_STEAL_TIME = 5;
export const KVM_FEATURE_PV_EOI = 6;
export const KVM_FEATURE_PV_SEND_IPI = 11;
export const KVM_FEATURE_PV_SCHED_YIELD = 13;
export const KVM_FEATURE_CLOCKSOURCE_STABLE_BIT = 24;

// Model-specific registers. The first two are the first generation of the two after them.
export const MSR_KVM_WALL_CLOCK = 0x11;
export const MSR_KVM_SYSTEM_TIME = 0x12;
export const MSR_KVM_WALL_CLOCK_NEW = 0x4b564d00;
export const MSR_KVM_SYSTEM_TIME_NEW = 0x4b564d01;
export const MSR_KVM_STEAL_TIME = 0x4b564d03;
export const MSR_KVM_PV_EOI_EN = 0x4b564d04;
/** Bit 0 of those that give an address. */
export const KVM_MSR_ENABLED = 1n;

// Hypercalls, by EAX.
export const KVM_HC_VAPIC_POLL_IRQ = 1;
export const KVM_HC_MMU_OP = 2;
export const KVM_HC_KICK_CPU = 5;
export const KVM_HC_CLOCK_PAIRING = 9;
export const KVM_HC_SEND_IPI = 10;
export const KVM_HC_SCHED_YIELD = 11;
export const KVM_HC_MAP_GPA_RANGE = 12;

// Their errors, negated.
export const KVM_EPERM = 1;
export const KVM_EFAULT = 14;
export const KVM_EINVAL = 22;
export const KVM_EOPNOTSUPP = 95;
export const KVM_ENOSYS = 1000;

export const KVM_CLOCK_PAIRING_WALLCLOCK = 0;
