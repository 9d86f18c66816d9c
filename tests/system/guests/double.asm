; Faults during delivery: which pairs make a double fault, what it pushes, and where EIP points.
%include "guest.inc"
main:
        ; #GP whose gate is absent: #NP during #GP is a double fault
        mov word [idt + 13 * 8 + 4], 0x0e00
        mov ax, 0x7fff
        fault "gp then np", mov ds, ax
        mov word [idt + 13 * 8 + 4], 0x8e00
        ; #UD (benign) whose gate is absent: #NP alone, with EXT
        mov word [idt + 6 * 8 + 4], 0x0e00
        fault "ud then np", ud2
        mov word [idt + 6 * 8 + 4], 0x8e00
        ; INT n with a bad gate: EXT clear
        mov word [idt + 0x40 * 8 + 4], 0x0e00
        fault "int then np", int 0x40
        ; #DE with a gate to a bad selector: contributory twice
        mov word [idt + 2], 0x7ff8
        xor ecx, ecx
        fault "de then gp", div ecx
        mov word [idt + 2], CODE0
        ; #UD with a gate to a data segment: #GP(selector) with EXT
        mov word [idt + 6 * 8 + 2], 0x10
        fault "ud then gp", ud2
        mov word [idt + 6 * 8 + 2], CODE0

        ; Paging: identity map of 4 MiB pages but for one page table
        mov edi, 0x300000
        xor eax, eax
        mov ecx, 2048
        rep stosd
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, 0x87
        mov edi, 0x300000
        mov ecx, 8
.map:   stosd
        add eax, 0x400000
        loop .map
        mov dword [0x300000 + 4 * 4], 0x301007  ; 1000000 to 13FFFFF by a page table
        mov dword [0x301000], 0x200007
        mov dword [0x301004], 0x201005          ; read only
        mov dword [0x301008], 0x202003          ; supervisor
        mov eax, 0x300000
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        fault "pf read", mov eax, [0x1003000]
        call show_cr2
        fault "pf write", mov [0x1003ffd], eax
        call show_cr2
        fault "pf write across", mov [0x1002ffe], eax
        call show_cr2
        fault "pf rmw", add dword [0x1003010], 1
        call show_cr2
        fault "write without wp", mov [0x1001000], eax
        mov eax, cr0
        or eax, 0x10000
        mov cr0, eax
        fault "write with wp", mov [0x1001000], eax
        call show_cr2
        fault "pf fetch", call 0x1005000
        call show_cr2
        say "ad bits"
        value [0x301000]
        value [0x301004]
        line
        mov eax, [0x1000000]
        mov [0x1000000], eax
        say "ad bits"
        value [0x301000]
        value [0x301004]
        line
        ; A page fault while the stack of the page fault faults: double fault, on a task gate
        mov eax, 0x90
        mov ebx, tss2
        mov ecx, 0x67
        mov edx, 0x89
        call system_descriptor
        mov dword [tss + 0x1c], 0x300000
        mov edi, tss2
        mov dword [edi + 0x1c], 0x300000
        mov dword [edi + 0x20], double_task
        mov dword [edi + 0x24], 2
        mov dword [edi + 0x38], task_top
        mov dword [edi + 0x48], DATA0
        mov dword [edi + 0x4c], CODE0
        mov dword [edi + 0x50], DATA0
        mov dword [edi + 0x54], DATA0
        mov edi, idt + 8 * 8
        mov ax, 0x90
        xor ebx, ebx
        mov dx, 0x8500
        call write_gate
        mov [resume_esp], esp
        mov esp, 0x1004000
.pushing:
        push eax
        ; comes back here
.behind:
        ; the same with a page that is not writable under the frame
        mov dword [tss2 + 0x20], double_task
        mov dword [tss2 + 0x38], task_top
        mov [resume_esp], esp
        mov esp, 0x1002000
        mov eax, [0x1003000]
        ; #GP while its frame cannot be pushed: #PF after #GP is no double fault, but #PF cannot
        ; be pushed either
        mov dword [tss2 + 0x20], double_task
        mov dword [tss2 + 0x38], task_top
        mov [resume_esp], esp
        mov esp, 0x1002000
        mov ax, 0x7fff
        mov ds, ax
        nop
        nop
        nop
        jmp finish

show_cr2:
        say "cr2"
        mov eax, cr2
        value eax
        line
        ret

double_task:
        pop edx
        say "double"
        value edx
        mov eax, [tss + 0x20]
        sub eax, main.pushing
        value eax
        mov eax, [tss + 0x38]
        value eax
        mov eax, cr2
        value eax
        line
        mov eax, [resume_esp]
        mov [tss + 0x38], eax
        ; behind: PUSH EAX is one byte, the others are five and two
        mov eax, [tss + 0x20]
        movzx edx, byte [eax]
        mov ecx, 1
        cmp dl, 0x50
        je .add
        mov ecx, 5
        cmp dl, 0xa1
        je .add
        mov ecx, 2
.add:   add [tss + 0x20], ecx
        iretd
%include "end.inc"
