; Hardware task switches: CALL and IRET, JMP, task gates, an exception through a task gate with its
; error code, a 16-bit TSS, the busy bits, NT, CR0.TS, the T bit, and faults of the switch.
%include "guest.inc"
main:
        ; TSS 90: a ring 0 task
        mov eax, 0x90
        mov ebx, tss2
        mov ecx, 0x67
        mov edx, 0x89
        call system_descriptor
        mov edi, gdt + 0x98
        mov ax, 0x90
        xor ebx, ebx
        mov dx, 0xe500
        call write_gate
        mov edx, first_task
        call fill_task
        push dword 2
        popfd
        mov ecx, 0x11112222
        say "call"
        call 0x90:0
        say "back"
        pushfd
        pop eax
        value eax
        str ax
        movzx eax, ax
        value eax
        movzx eax, byte [gdt + 0x95]
        value eax
        movzx eax, byte [gdt + 0x2d]
        value eax
        mov eax, cr0
        value eax
        value [tss2 + 0x20]
        mov eax, [tss2 + 0x20]
        sub eax, first_task.second
        value eax
        value [tss + 0x28 + 4]
        line
        clts
        ; again, through the gate: it goes on behind its IRET
        call 0x98:0
        ; a jump and a jump back: no nesting
        mov edx, jump_task
        call fill_task
        jmp 0x90:0
        say "jumped back"
        pushfd
        pop eax
        value eax
        movzx eax, byte [gdt + 0x95]
        value eax
        movzx eax, word [tss2]
        value eax
        line
        ; faults before the switch
        fault "call busy", call 0x28:0
        mov byte [gdt + 0x95], 0x09
        fault "not present", call 0x90:0
        mov byte [gdt + 0x95], 0x89
        mov word [gdt + 0x90], 0x66
        fault "short", call 0x90:0
        mov word [gdt + 0x90], 0x67
        mov byte [gdt + 0x9d], 0x65
        fault "gate not present", jmp 0x98:0
        mov byte [gdt + 0x9d], 0xe5
        ; an exception through a task gate
        mov edi, idt + 13 * 8
        mov esi, saved_gate
        mov eax, [edi]
        mov [esi], eax
        mov eax, [edi + 4]
        mov [esi + 4], eax
        mov ax, 0x90
        xor ebx, ebx
        mov dx, 0x8500
        call write_gate
        mov edx, fault_task
        call fill_task
        mov ax, 0x1234
.faulting:
        mov ds, ax
        say "behind it"
        pushfd
        pop eax
        value eax
        line
        mov esi, saved_gate
        mov edi, idt + 13 * 8
        movsd
        movsd
        ; faults in the new task: its SS cannot be loaded; the handler runs in that task
        mov edx, first_task
        call fill_task
        mov dword [tss2 + 0x50], 0x50
        mov dword [tss2 + 4], task0_top
        mov dword [tss2 + 8], DATA0
        mov dword [resume_eip], .in_new
        mov [resume_esp], esp
        mov dword [fault_base], first_task
        mov edi, idt + 10 * 8
        ; #TS needs a stack: it comes through a task gate back to this task's TSS copy
        mov eax, 0x88
        mov ebx, tss3
        mov ecx, 0x67
        mov edx, 0x89
        call system_descriptor
        mov ax, 0x88
        xor ebx, ebx
        mov dx, 0x8500
        mov edi, idt + 10 * 8
        call write_gate
        mov edi, tss3
        mov edx, ts_task
        call fill_task_at
        call 0x90:0
.in_new:
        line
        ; 16 bits
        call sixteen
        ; T bit
        mov edx, trap_task
        call fill_task
        mov word [tss2 + 0x64], 1
        mov byte [gdt + 0x95], 0x89
        mov dword [hook], trap_hook
        call 0x90:0
        mov dword [hook], 0
        mov word [tss2 + 0x64], 0
        jmp finish

trap_hook:
        say "trap"
        value [ebp]
        mov eax, [ebp + 8]
        sub eax, trap_task
        value eax
        mov eax, dr6
        value eax
        line
        ret
trap_task:
        say "trap task"
        line
        iretd

; Fills TSS2 (or the one at edi) for a ring 0 task at edx.
fill_task:
        mov edi, tss2
fill_task_at:
        push edi
        mov ecx, 0x68 / 4
        xor eax, eax
        rep stosd
        pop edi
        mov [edi + 0x20], edx
        mov dword [edi + 0x24], 2
        mov dword [edi + 0x28], 0xaaaaaaaa
        mov dword [edi + 0x2c], 0xcccccccc
        mov dword [edi + 0x38], task_top
        mov dword [edi + 0x3c], 0xbbbbbbbb
        mov dword [edi + 0x48], DATA0
        mov dword [edi + 0x4c], CODE0
        mov dword [edi + 0x50], DATA0
        mov dword [edi + 0x54], DATA0
        mov word [edi + 0x66], 0x68
        mov eax, cr3
        mov [edi + 0x1c], eax
        ret

first_task:
        say " task"
        value eax
        value ecx
        value ebp
        pushfd
        pop eax
        value eax
        str ax
        movzx eax, ax
        value eax
        movzx eax, byte [gdt + 0x95]
        value eax
        movzx eax, byte [gdt + 0x2d]
        value eax
        movzx eax, word [tss2]
        value eax
        mov eax, cr0
        value eax
        line
        iretd
.second:
        say "task again"
        line
        iretd

jump_task:
        say "jumped"
        pushfd
        pop eax
        value eax
        movzx eax, byte [gdt + 0x2d]
        value eax
        line
        jmp 0x28:0

fault_task:
        pop edx
        say "fault task"
        value edx
        mov eax, [tss + 0x20]
        sub eax, main.faulting
        value eax
        value [tss + 0x24]
        mov eax, esp
        sub eax, task_top
        value eax
        line
        ; the faulting task goes on behind its two bytes
        add dword [tss + 0x20], 2
        mov dword [tss + 0x54], DATA0
        iretd

; #TS in the task whose SS was bad: prints, and returns to the first task by a jump
ts_task:
        pop edx
        say "#TS"
        value edx
        movzx eax, word [tss3]
        value eax
        mov eax, [tss2 + 0x20]
        sub eax, first_task
        value eax
        movzx eax, word [tss2 + 0x50]
        value eax
        mov byte [gdt + 0x2d], 0x89
        mov byte [gdt + 0x95], 0x89
        jmp 0x28:0

; --- 16-bit TSS --------------------------------------------------------------------------------------
sixteen:
        mov eax, 0x90
        mov ebx, tss16
        mov ecx, 0x2b
        mov edx, 0x81
        call system_descriptor
        mov edi, tss16
        mov ecx, 0x2c
        xor eax, eax
        rep stosb
        mov word [tss16 + 0x0e], task16 - 0x100000
        mov word [tss16 + 0x10], 2
        mov word [tss16 + 0x12], 0x1616
        mov word [tss16 + 0x1a], 0x7000
        mov word [tss16 + 0x22], DATA0
        mov word [tss16 + 0x24], 0xb8
        mov word [tss16 + 0x26], 0x10
        mov word [tss16 + 0x28], DATA0
        mov ebp, 0x98765432
        mov esi, 0x12345678
        call 0x90:0
        say "back from 16"
        value ebp
        movzx eax, word [tss16 + 0x0e]
        sub eax, task16.after - 0x100000
        value eax
        line
        mov eax, 0x90
        mov ebx, tss2
        mov ecx, 0x67
        mov edx, 0x89
        call system_descriptor
        ret

task16:
        mov [scratch], eax
        mov [scratch + 4], esp
        mov ecx, task_top
        mov esp, ecx
        say "16-bit task"
        movzx eax, word [scratch]
        value eax
        movzx eax, word [scratch + 4]
        value eax
        pushfd
        pop eax
        value eax
        mov eax, fs
        value eax
        line
        iretd
.after:
        jmp $

        align 4
saved_gate: dq 0
tss3:   times 0x68 db 0
%include "end.inc"
