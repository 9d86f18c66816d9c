; Faults of segment loads, far transfers and limits in ring 0, with their error codes.
%include "guest.inc"
main:
        mov ax, 0x7fff
        fault "ds beyond gdt", mov ds, ax
        mov ax, 0x24
        fault "ds beyond ldt", mov ds, ax
        mov ax, 0x38
        fault "ds not present", mov ds, ax
        fault "ss not present", mov ss, ax
        mov ax, 0x48
        fault "ds execute only", mov ds, ax
        mov ax, 0x58
        fault "es conforming", mov es, ax
        mov ax, 0x28
        fault "ds system", mov ds, ax
        mov ax, 0
        fault "ss null", mov ss, ax
        mov ax, 0x50
        fault "ss read only", mov ss, ax
        mov ax, 0x08
        fault "ss code", mov ss, ax
        mov ax, 0x13
        fault "ss rpl", mov ss, ax
        mov ax, 0x20
        fault "ss dpl", mov ss, ax
        mov ax, 0x13
        fault "ds rpl", mov ds, ax
        db 0x90
        fault "mov to cs", db 0x8e, 0xc8
        fault "mov to segment 6", db 0x8e, 0xf0
        xor eax, eax
        mov es, ax
        fault "through null", mov eax, [es:0]
        mov ax, 0x50
        mov es, ax
        fault "read of read only", mov eax, [es:scratch]
        fault "write of read only", mov [es:scratch], eax
        fault "write through cs", mov [cs:scratch], eax
        mov ax, 0x60
        mov es, ax
        fault "inside", mov eax, [es:0xffc]
        fault "limit", mov eax, [es:0xffd]
        fault "limit byte", mov al, [es:0x1000]
        fault "wrap", mov eax, [es:0xfffffffe]
        mov ax, 0x68
        mov es, ax
        fault "expand down inside", mov eax, [es:0x1000]
        fault "expand down below", mov eax, [es:0xfff]
        mov ax, 0x60
        mov fs, ax
        fault "fs limit", mov eax, [fs:0xffd]
        mov ax, DATA0
        mov es, ax
        mov ax, 0x10
        mov gs, ax
        fault "gs open", mov eax, [gs:scratch]
        ; Far transfers
        fault "jmp null", jmp 0:0
        fault "jmp beyond", jmp 0x7ff8:0
        fault "jmp data", jmp 0x10:0
        fault "jmp not present", jmp 0x40:0
        fault "jmp rpl", jmp 0x0b:0
        fault "jmp ring 3", jmp 0x1b:0
        fault "jmp busy tss", jmp 0x28:0
        fault "jmp ldt", jmp 0x30:0
        fault "jmp limit", jmp 0x70:0x10000
        fault "call data", call 0x10:0
        fault "call beyond", call 0x7ff8:0
        push dword 0
        push dword 0
        fault "retf null", retf
        push dword 0x10
        push dword 0
        fault "retf data", retf
        push dword 0x40
        push dword 0
        fault "retf not present", retf
        push dword 2
        push dword 0x7ff8
        push dword 0
        fault "iret beyond", iretd
        ; Table registers
        mov ax, 0x28
        fault "ltr busy", ltr ax
        mov ax, 0
        fault "ltr null", ltr ax
        mov ax, 0x10
        fault "ltr data", ltr ax
        mov ax, 0x10
        fault "lldt data", lldt ax
        mov ax, 0x34
        fault "lldt local", lldt ax
        ; Interrupts
        mov word [idt + 0x40 * 8 + 4], 0x0e00
        fault "int not present", int 0x40
        mov word [idt + 0x40 * 8 + 4], 0x8200
        fault "int no gate", int 0x40
        mov word [idt + 0x40 * 8 + 4], 0x8e00
        mov word [idt + 0x40 * 8 + 2], 0
        fault "int null cs", int 0x40
        mov word [idt + 0x40 * 8 + 2], 0x7ff8
        fault "int cs beyond", int 0x40
        mov word [idt + 0x40 * 8 + 2], 0x10
        fault "int cs data", int 0x40
        mov word [idt + 0x40 * 8 + 2], 0x40
        fault "int cs not present", int 0x40
        mov word [idt + 0x40 * 8 + 2], CODE0
        lidt [short_idtr]
        fault "int beyond idt", int 0x40
        lidt [idtr]
        ; Others
        fault "int3", int3
        fault "int 80", int 0x80
        fault "into clear", into
        mov eax, -5
        fault "bound inside", bound eax, [bounds]
        mov eax, 6
        fault "bound outside", bound eax, [bounds]
        mov eax, -6
        fault "bound outside", bound eax, [bounds]
        push dword 0x802
        popfd
        fault "into set", into
        xor eax, eax
        fault "ud2", ud2
        xor ecx, ecx
        fault "div", div ecx
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        fault "fpu ts", fnop
        fault "sse ts", movaps xmm0, xmm0
        clts
        fault "fpu", fnop
        fault "cr1", mov eax, cr1
        mov ecx, 0x12345678
        fault "rdmsr", rdmsr
        mov ecx, 0x174
        mov eax, 0x1234
        xor edx, edx
        wrmsr
        rdmsr
        say "sysenter cs"
        value eax
        line
        ; Queries
        mov bx, 0x10
        mov eax, 0x55555555
        lar eax, bx
        call query
        lsl eax, bx
        call query
        mov bx, 0x28
        lar eax, bx
        call query
        lsl eax, bx
        call query
        mov bx, 0x7ff8
        lar eax, bx
        call query
        mov bx, 0x60
        lsl eax, bx
        call query
        mov bx, 0x13
        verw bx
        call query
        mov bx, 0x10
        verw bx
        call query
        mov bx, 0x08
        verw bx
        call query
        verr bx
        call query
        mov bx, 0x48
        verr bx
        call query
        mov ax, 0x10
        mov bx, 3
        arpl ax, bx
        call query
        sldt eax
        call query
        str eax
        call query
        smsw eax
        call query
        sgdt [scratch]
        say "sgdt"
        value [scratch]
        movzx eax, word [scratch + 4]
        value eax
        line
        mov eax, 0x80000000
        fault "pg without pe", mov cr0, eax
        mov eax, cr0
        or eax, 0x20000000
        and eax, 0xbfffffff
        fault "nw without cd", mov cr0, eax
        mov eax, 0x80000000
        fault "cr4", mov cr4, eax
        jmp finish

query:
        pushfd
        say "query"
        and dword [esp], 0x40
        value eax
        value [esp]
        line
        popfd
        ret

bounds: dd -5, 5
short_idtr: dw 0x40 * 8 + 6
        dd idt
%include "end.inc"
