/** Makes the face that --paravirt names. Nobody else chooses between faces. */

import { FACE_NONE } from '../../assembly/shared/paravirt';
import { UserError } from '../errors';
import { KvmFace } from '../kvm/kvm';
import { VmiFace } from '../vmi/vmi';
import { VmwareFace } from '../vmware/vmware';
import { FACE_NAMES, type Face, type FaceName, type FaceParts } from './face';

/** @throws UserError for a name that is none of FACE_NAMES. */
export function createFace(name: FaceName, parts: FaceParts): Face {
  switch (name) {
    case 'vmi':
      return new VmiFace(parts);
    case 'kvm':
      return new KvmFace(parts);
    case 'vmware':
      return new VmwareFace(parts);
    case 'none':
      return { name, code: FACE_NONE, leaves: [], state: {} };
    default:
      throw new UserError(`--paravirt ${String(name)}`, `give ${FACE_NAMES.join(' or ')}`);
  }
}
