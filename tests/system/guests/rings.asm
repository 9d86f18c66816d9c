; Transitions between rings: IRET outwards, interrupts inwards, call gates with parameters, RETF n,
; what ring 3 may not do, IOPL and the I/O permission bit map, SYSENTER and SYSEXIT.
%include "guest.inc"

; user label: runs the code there in ring 3, until it executes INT 81H, which comes back here.
%macro user 1
        mov dword [back], %%back
        mov [back_esp], esp
        push dword DATA3
        push dword ring3_top
        push dword [user_flags]
        push dword CODE3
        push dword %1
        iretd
%%back:
%endmacro

; In ring 3: like fault, whose handler comes back by IRET to the next line with the stack as it was.
%macro ufault 2+
        say %1
        mov dword [resume_eip], %%after
        mov [resume_esp], esp
        mov dword [fault_base], %%here
%%here: %2
        say " none"
%%after:
        line
%endmacro

main:
        mov dword [hook], on_interrupt
        mov word [idt + 0x81 * 8 + 4], 0xee00
        mov word [idt + 3 * 8 + 4], 0xee00
        mov word [idt + 4 * 8 + 4], 0xee00
        ; ports E9H only
        mov edi, tss + 0x68
        mov al, 0xff
        mov ecx, 33
        rep stosb
        mov byte [tss + 0x68 + 0xe9 / 8], ~(1 << 1) & 0xff
        mov dword [user_flags], 0x0002
        user user_plain
        mov dword [user_flags], 0x3002
        user user_iopl3
        mov dword [user_flags], 0x0002
        call gates
        call returns
        call sysenter_test
        ret

; Called by every handler with EBP at vector, code, EIP, CS, EFLAGS, ESP, SS.
on_interrupt:
        cmp dword [ebp], 0x81
        je .leave
        value [ebp]
        value [ebp + 4]
        mov eax, [ebp + 8]
        sub eax, [fault_base]
        value eax
        value [ebp + 12]
        mov eax, [ebp + 16]
        and eax, 0xff7fff
        value eax
        mov eax, [resume_eip]
        mov [ebp + 8], eax
        test byte [ebp + 12], 3
        jz .same
        mov eax, [resume_esp]
        mov [ebp + 20], eax
.same:  ret
.leave:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov esp, [back_esp]
        jmp [back]

user_plain:
        mov ax, DATA3
        mov ds, ax
        mov es, ax
        say "ring 3 cs"
        mov eax, cs
        value eax
        mov eax, ss
        value eax
        pushfd
        pop eax
        value eax
        mov eax, esp
        sub eax, ring3_top
        value eax
        line
        ufault "hlt", hlt
        ufault "cli", cli
        ufault "sti", sti
        ufault "in", in al, 0x80
        ufault "out allowed", out 0xe9, al
        ufault "outw", out 0xe8, ax
        mov edx, 0x108
        ufault "in beyond map", in al, dx
        ufault "lgdt", lgdt [gdtr]
        ufault "mov cr0", mov eax, cr0
        ufault "mov dr7", mov eax, dr7
        ufault "clts", clts
        ufault "invd", invd
        ufault "wbinvd", wbinvd
        ufault "invlpg", invlpg [0]
        ufault "rdmsr", rdmsr
        ufault "lldt", lldt ax
        ufault "ltr", ltr ax
        ufault "lmsw", lmsw ax
        ufault "sysexit", sysexit
        ufault "int 40", int 0x40
        ufault "int3", int3
        ufault "int1", db 0xf1
        mov al, 0x7f
        add al, 1
        ufault "into", into
        mov ax, 0x10
        ufault "kernel ds", mov ds, ax
        mov ax, 0x08
        ufault "kernel code as ds", mov ds, ax
        mov ax, 0x58
        ufault "conforming es", mov es, ax
        mov ax, DATA3
        mov es, ax
        mov ax, 0x10
        ufault "kernel ss", mov ss, ax
        ufault "jmp ring 0", jmp 0x08:0
        ufault "call ring 0", call 0x08:0
        ufault "call tss", call 0x28:0
        push dword CODE0
        push dword 0
        ufault "retf inner", retf
        add esp, 8
        push dword 2
        push dword CODE0
        push dword 0
        ufault "iret inner", iretd
        add esp, 12
        ; conforming code runs in ring 3
        jmp 0x58:.conforming
.conforming:
        say "conforming cs"
        mov eax, cs
        value eax
        line
        jmp CODE3:.back
.back:
        ; POPF in ring 3 changes neither IF nor IOPL
        push dword 0x7ed7
        popfd
        pushfd
        pop eax
        push dword 2
        popfd
        say "popf"
        value eax
        line
        push dword 0x7e00
        popfw
        pushfd
        pop eax
        push dword 2
        popfd
        say "popfw"
        value eax
        line
        mov bx, 0x10
        lar eax, bx
        setz al
        movzx eax, al
        say "lar of kernel data"
        value eax
        line
        int 0x81

user_iopl3:
        mov ax, DATA3
        mov ds, ax
        mov es, ax
        ufault "iopl3 cli", cli
        ufault "iopl3 sti", sti
        ufault "iopl3 cli", cli
        ufault "iopl3 in", in al, 0x80
        ufault "iopl3 hlt", hlt
        push dword 0x0202
        popfd
        pushfd
        pop eax
        say "iopl3 popf"
        value eax
        line
        int 0x81

; --- Call gates ------------------------------------------------------------------------------------
gates:
        mov edi, gdt + 0x80
        mov ax, CODE0
        mov ebx, gate_target
        mov dx, 0xec03
        call write_gate
        ; a 16-bit gate has a 16-bit offset
        mov edi, gdt + 0x88
        mov ax, 0xb8
        mov ebx, gate_target16 - 0x100000
        mov dx, 0xe402
        call write_gate
        user user_gates
        ret

gate_target:
        mov ebp, esp
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        say "gate"
        mov eax, cs
        value eax
        mov eax, esp
        sub eax, ring0_top
        value eax
        value [ebp + 4]
        mov eax, [ebp + 8]
        value eax
        mov eax, [ebp + 12]
        value eax
        mov eax, [ebp + 16]
        value eax
        value [ebp + 24]
        line
        retf 12

gate_target16:
        mov ebp, esp
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        say "gate 16"
        mov eax, esp
        sub eax, ring0_top
        value eax
        movzx eax, word [ebp + 2]
        value eax
        value [ebp + 4]
        movzx eax, word [ebp + 10]
        value eax
        line
        ; back through a 32-bit frame: a 16-bit return cannot name this address
        movzx eax, word [ebp + 8]
        mov edx, back16
        mov ecx, ring3_top
        push dword DATA3
        push ecx
        push dword CODE3
        push edx
        retf

user_gates:
        mov ax, DATA3
        mov ds, ax
        mov es, ax
        mov fs, ax
        push dword 0x11111111
        push dword 0x22222222
        push dword 0x33333333
        call 0x83:0
        mov ax, ds
        movzx eax, ax
        mov bx, DATA3
        mov ds, bx
        mov es, bx
        say "after gate ds"
        value eax
        mov eax, fs
        value eax
        mov eax, esp
        sub eax, ring3_top
        value eax
        line
        ufault "jmp gate", jmp 0x83:0
        push word 0x5555
        push word 0x6666
        call 0x8b:0
back16:
        mov ax, DATA3
        mov ds, ax
        mov es, ax
        say "after gate 16"
        mov eax, esp
        sub eax, ring3_top
        value eax
        line
        int 0x81

; --- RETF and IRET to ring 3 -----------------------------------------------------------------------
returns:
        mov dword [back], .back
        mov [back_esp], esp
        mov ax, DATA0
        mov fs, ax
        mov ax, DATA3
        mov gs, ax
        push dword DATA3
        push dword ring3_top
        push dword 0x77777777
        push dword CODE3
        push dword .user
        retf 4
.user:
        mov eax, fs
        mov ebx, gs
        mov ecx, ds
        mov dx, DATA3
        mov ds, dx
        mov es, dx
        say "retf nulls"
        value eax
        value ebx
        value ecx
        mov eax, esp
        sub eax, ring3_top
        value eax
        line
        int 0x81
.back:
        ; faults of outward returns
        mov dword [hook], 0
        mov [returns_esp], esp
        push dword 0x10
        push dword 0
        push dword CODE3
        push dword 0
        fault "outer ss rpl", retf
        push dword 0
        push dword 0
        push dword CODE3
        push dword 0
        fault "outer ss null", retf
        push dword 0x3b
        push dword 0
        push dword 0x202
        push dword CODE3
        push dword 0
        fault "outer ss dpl", iretd
        push dword 0x202
        push dword 0x09
        push dword 0
        fault "iret rpl and dpl", iretd
        mov dword [hook], on_interrupt
        mov esp, [returns_esp]
        ret

; --- SYSENTER ----------------------------------------------------------------------------------------
sysenter_test:
        xor edx, edx
        mov ecx, 0x174
        mov eax, CODE0
        wrmsr
        mov ecx, 0x175
        mov eax, ring0_top
        wrmsr
        mov ecx, 0x176
        mov eax, .enter
        wrmsr
        mov dword [user_flags], 0x3202
        mov dword [leave_to], .first
        user .user
        mov dword [user_flags], 0x0002
        ret
.user:  sysenter
.enter:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        say "sysenter"
        mov eax, cs
        value eax
        mov eax, ss
        value eax
        pushfd
        pop eax
        value eax
        mov eax, esp
        sub eax, ring0_top
        value eax
        line
        mov edx, [leave_to]
        mov ecx, ring3_top - 64
        sysexit
.first:
        mov ax, DATA3
        mov ds, ax
        mov es, ax
        say "sysexit"
        mov eax, cs
        value eax
        mov eax, ss
        value eax
        mov eax, esp
        sub eax, ring3_top
        value eax
        line
        int 0x81

back:       dd 0
back_esp:   dd 0
user_flags: dd 2
leave_to:   dd 0
returns_esp: dd 0
%include "end.inc"
