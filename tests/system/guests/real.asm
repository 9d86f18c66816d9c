; Real mode, entered from protected mode: interrupts through the vector table, faults without error
; codes, 16-bit stacks that wrap, segment limits, far calls, operand and address size prefixes, big
; real mode, and the way back.
%include "guest.inc"
%define at(label) ((label) - code16)

main:
        mov esi, code16
        mov edi, 0x20000
        mov ecx, code16_end - code16
        rep movsb
        mov [back_esp], esp
        mov word [gdt + 0xb2], 0
        mov byte [gdt + 0xb4], 2        ; B0: code at 20000
        mov ax, 0x78
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov gs, ax
        mov ax, DATA0
        mov fs, ax                      ; limit 4 GiB: stays in real mode
        jmp 0xb0:at(sixteen)

back:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, [back_esp]
        lidt [idtr]
        say "back"
        mov eax, cr0
        value eax
        line
        jmp finish

bits 16
code16:
put16:  push ax                         ; al
        out 0xe9, al
        pop ax
        ret
hex16:  push cx                         ; ax
        push ax
        push bx
        mov bx, ax
        mov al, ' '
        call put16
        mov cx, 4
.digit: rol bx, 4
        mov al, bl
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das
        call put16
        loop .digit
        pop bx
        pop ax
        pop cx
        ret
%macro show 1
        push ax
        mov ax, %1
        call hex16
        pop ax
%endmacro
newline:
        push ax
        mov al, 10
        call put16
        pop ax
        ret

sixteen:
        mov eax, cr0
        and eax, ~1
        mov cr0, eax
        jmp 0x2000:at(.real)
.real:
        mov ax, 0x2000
        mov ds, ax
        mov ax, 0x3000
        mov ss, ax
        mov sp, 0x100
        lidt [at(vectors16)]
        xor ax, ax
        mov es, ax
        mov word [es:0x40 * 4], at(int40)
        mov word [es:0x40 * 4 + 2], 0x2000
        mov word [es:0], at(fault16)
        mov word [es:2], 0x2000
        mov word [es:6 * 4], at(fault16)
        mov word [es:6 * 4 + 2], 0x2000
        mov word [es:12 * 4], at(fault16)
        mov word [es:12 * 4 + 2], 0x2000
        mov word [es:13 * 4], at(fault16)
        mov word [es:13 * 4 + 2], 0x2000
        show cs
        show sp
        ; an interrupt, and IRET
        mov ax, 0x1111
        push word 0x0246
        popf
        int 0x40
        pushf
        pop bx
        show bx
        show sp
        call newline
        ; faults
        mov si, at(.after_div)
        xor cx, cx
        div cx
.after_div:
        mov si, at(.after_limit)
        mov ax, [0xffff]
.after_limit:
        mov si, at(.after_limit32)
        mov ebx, 0x10000
        mov al, [ebx]
.after_limit32:
        mov si, at(.after_stack)
        mov bp, 0xffff
        mov ax, [bp]
.after_stack:
        mov si, at(.after_ud)
        lldt ax
.after_ud:
        ; the stack wraps
        mov esp, 0x12340000
        push word 0xaaaa
        show sp
        mov eax, esp
        shr eax, 16
        show ax
        pop ax
        mov eax, esp
        shr eax, 16
        show ax
        show sp
        mov esp, 0x100
        push dword 0x11223344
        pop ax
        pop bx
        show ax
        show bx
        call newline
        ; PUSHA, ENTER, LEAVE
        mov ax, 1
        mov cx, 2
        mov bx, 4
        pusha
        show sp
        popa
        show sp
        mov bp, 0x1234
        enter 16, 0
        show sp
        show bp
        leave
        show sp
        show bp
        enter 4, 3
        show sp
        leave
        pushad
        show sp
        popad
        show sp
        call newline
        ; far calls and returns
        call 0x1fff:at(.far) + 16
        show sp
        push word 0x5678
        call far [at(pointer16)]
        show sp
        o32 call dword 0x2000:at(.far32)
        show sp
        call newline
        ; string operations wrap at 64 KiB
        mov ax, 0x4000
        mov es, ax
        mov di, 0xfffe
        mov ax, 0x7777
        mov cx, 3
        cld
        rep stosw
        show di
        show cx
        show [es:0xfffe]
        show [es:0]
        show [es:2]
        show [es:4]
        mov si, 0
        mov di, 0xfffc
        mov bx, ds
        mov ds, ax
        mov ds, bx
        mov ecx, 0x10002
        rep movsb
        show cx
        mov eax, ecx
        shr eax, 16
        show ax
        call newline
        ; FS kept the limit of protected mode, and its base until it is loaded
        mov eax, [fs:0x100000]
        show ax
        shr eax, 16
        show ax
        xor ax, ax
        mov fs, ax
        mov eax, [fs:0x100000]
        show ax
        call newline
        ; LDS, LES
        les di, [at(pointer16)]
        show di
        mov ax, es
        show ax
        ; back to protected mode
        call newline
        lgdt [at(gdtr16)]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword CODE0:back
.far:   show sp
        retf
.far_pop:
        show sp
        retf 2
.far32: show sp
        o32 retf

int40:  show ax
        push bp
        mov bp, sp
        show [bp + 6]
        pop bp
        pushf
        pop bx
        show bx
        iret

; Prints where, SP and what is on the stack; goes on at SI.
fault16:
        push bp
        mov bp, sp
        push ax
        mov ax, si
        sub ax, [bp + 2]
        call hex16
        show [bp + 4]
        show sp
        pop ax
        mov [bp + 2], si
        pop bp
        call newline
        iret

vectors16: dw 0x3ff
        dd 0
gdtr16: dw gdt_end - gdt - 1
        dd gdt
pointer16: dw at(sixteen.far_pop), 0x2000
code16_end:
bits 32
back_esp: dd 0
%include "end.inc"
