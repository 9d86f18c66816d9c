/**
 * The VMware face: CPUID leaves and the backdoor. Guests that know it take the counter's frequency
 * from it instead of measuring, and believe the counter.
 */

import { FACE_VMWARE } from '../../assembly/shared/paravirt';
import { signature, type CpuidLeaf, type Face, type FaceParts } from '../paravirt/face';
import { Backdoor, BACKDOOR_PORT } from './backdoor';

const VMWARE_INFO_LEAF = 0x40000000;
/** EAX and EBX: frequencies in kHz. ECX: calls by VMCALL or VMMCALL; clear, they go to the port. */
const VMWARE_TIMING_LEAF = 0x40000010;

export class VmwareFace implements Face {
  readonly name = 'vmware';
  readonly code = FACE_VMWARE;
  readonly leaves: readonly CpuidLeaf[];
  readonly state = {};

  constructor(parts: FaceParts) {
    const khz = parts.time.get_tsc_khz();
    this.leaves = [
      { leaf: VMWARE_INFO_LEAF, eax: VMWARE_TIMING_LEAF, ...signature('VMwareVMware') },
      { leaf: VMWARE_TIMING_LEAF, eax: khz, ebx: khz, ecx: 0, edx: 0 },
    ];
    parts.bus.claimPorts(BACKDOOR_PORT, BACKDOOR_PORT, new Backdoor(parts));
  }
}
