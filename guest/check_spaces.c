/*
 * Address spaces that keep what they must and nothing else: the same linear addresses in several,
 * changed while they run and while others do. What is changed is announced as Linux announces it;
 * after a switch of CR3, and after a flush, nothing old may show.
 */
#include "include/mm.h"
#include "include/try.h"

#define SPACES 4
#define PLACES 6
#define STEPS 400
#define PAGE_BITS (PTE_P | PTE_W | PTE_U)

struct place {
	/* 0: not mapped. */
	u32 frame;
	/* What the frame's first word says. */
	u32 mark;
	int writable;
};

static struct address_space spaces[SPACES];
static struct place model[SPACES][PLACES];
static u32 marks, seed;
static const char *doing;

static u32 place_va(u32 place)
{
	return 0x20000000 + place / 2 * 0x400000 + place % 2 * PAGE_SIZE;
}

static u32 random(u32 below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static int is_current(u32 s)
{
	return current_space == &spaces[s];
}

static void visible(u32 s, u32 va)
{
	if (is_current(s))
		hook_inval_page(va);
}

static u64 entry_value(const struct place *p)
{
	if (!p->frame)
		return 0;
	return (u64)p->frame * PAGE_SIZE | PTE_P | PTE_U | (p->writable ? PTE_W : 0);
}

/* Changes the entry by SetPxE, or in memory with UpdatePxE. */
static void write_place(u32 s, u32 place, int by_update)
{
	u32 va = place_va(place);
	void *entry = entry_of(&spaces[s], va);
	u64 value = entry_value(&model[s][place]);

	if (!entry) {
		if (value)
			map_page(&spaces[s], va, value);
		return;
	}
	if (by_update) {
		store_entry(entry, value);
		update_entry(entry, entry_flags(&spaces[s], va) | (is_current(s) && random(2) ? VMI_DEFER : 0));
	} else {
		set_entry(entry, value, entry_flags(&spaces[s], va));
	}
	visible(s, va);
}

static void forget_frame(struct place *p)
{
	if (p->frame)
		frame_free(p->frame);
	p->frame = 0;
}

static void fill(u32 s, u32 place, int by_update)
{
	struct place *p = &model[s][place];
	struct place old = *p;

	p->frame = frame_alloc();
	p->mark = ++marks;
	p->writable = random(4) != 0;
	*(u32 *)frame_address(p->frame) = p->mark;
	write_place(s, place, by_update);
	forget_frame(&old);
}

static void clear(u32 s, u32 place, int by_update)
{
	struct place old = model[s][place];

	model[s][place].frame = 0;
	write_place(s, place, by_update);
	forget_frame(&old);
}

static void protect(u32 s, u32 place, int writable)
{
	model[s][place].writable = writable;
	write_place(s, place, 1);
}

static void drop(u32 s, u32 table)
{
	u32 va = place_va(table * 2);

	if (!entry_of(&spaces[s], va))
		return;
	drop_table(&spaces[s], va);
	for (u32 place = table * 2; place < table * 2 + 2; place++)
		forget_frame(&model[s][place]);
}

static void replace(u32 s)
{
	space_destroy(&spaces[s]);
	for (u32 place = 0; place < PLACES; place++)
		forget_frame(&model[s][place]);
	space_create(&spaces[s]);
}

static void go(u32 s, int lazily)
{
	if (lazily)
		hook_set_lazy_mode(VMI_LAZY_CPU);
	space_switch(&spaces[s]);
	if (lazily)
		hook_set_lazy_mode(VMI_LAZY_NONE);
}

/* All of the running space is as the model says. */
static int verify(u32 s)
{
	int good = 1;

	for (u32 place = 0; place < PLACES; place++) {
		const struct place *p = &model[s][place];
		u32 va = place_va(place), value = 0;
		int fault = probe_read(va, &value);

		good &= check(p->frame ? fault < 0 && value == p->mark : fault == 0,
			      "%s: space %u, %08x: %s %u, should be %s %u", doing, s, va,
			      fault < 0 ? "reads" : "fault", fault < 0 ? value : (u32)fault,
			      p->frame ? "reading" : "fault", p->frame ? p->mark : 0);
		if (!p->frame || fault >= 0)
			continue;
		fault = probe_write(va, p->mark);
		good &= check(fault == (p->writable ? -1 : PF_P | PF_W), "%s: space %u, %08x: a write gives %d",
			      doing, s, va, fault);
	}
	return good;
}

/* Fills the TLB from every space, then from the one that shall run. */
static void touch_all(u32 last)
{
	for (u32 s = 0; s < SPACES; s++)
		go(s, s & 1), verify(s);
	go(last, 0);
	verify(last);
}

/* Each kind of change to a space that is not running, or is, by itself. */
static void check_one_by_one(void)
{
	static const struct {
		const char *name;
		u32 kind;
	} changes[] = { { "SetPxE", 0 },	      { "UpdatePxE", 1 },
			{ "cleared by SetPxE", 2 },   { "cleared, then UpdatePxE", 3 },
			{ "write-protected", 4 },     { "made writable", 5 },
			{ "page table released", 6 }, { "page table replaced", 7 },
			{ "space replaced", 8 } };

	for (u32 i = 0; i < ARRAY_SIZE(changes); i++) {
		for (u32 runs = 0; runs < 2; runs++) {
			doing = changes[i].name;
			for (u32 s = 0; s < 2; s++)
				for (u32 place = 0; place < PLACES; place++) {
					fill(s, place, 0);
					protect(s, place, changes[i].kind != 5);
				}
			touch_all(runs);
			switch (changes[i].kind) {
			case 0:
			case 1:
				fill(1, 2, changes[i].kind);
				break;
			case 2:
			case 3:
				clear(1, 2, changes[i].kind == 3);
				break;
			case 4:
			case 5:
				protect(1, 2, changes[i].kind == 5);
				break;
			case 6:
			case 7:
				drop(1, 1);
				if (changes[i].kind == 7)
					fill(1, 2, 0), fill(1, 3, 0);
				break;
			default:
				replace(1);
				for (u32 place = 0; place < PLACES; place += 2)
					fill(1, place, 0);
			}
			go(1, 0);
			verify(1);
			go(0, 0);
			verify(0);
			go(1, 1);
			verify(1);
		}
	}
}

static void random_step(void)
{
	u32 s = random(SPACES), place = random(PLACES), by_update = random(2);

	switch (random(12)) {
	case 0 ... 3:
		doing = "random: change";
		fill(s, place, by_update);
		break;
	case 4 ... 5:
		doing = "random: clear";
		clear(s, place, by_update);
		break;
	case 6 ... 7:
		doing = "random: protect";
		if (model[s][place].frame)
			protect(s, place, by_update);
		break;
	case 8:
		doing = "random: drop a table";
		drop(s, place / 2);
		break;
	case 9:
		doing = "random: replace a space";
		replace(s);
		break;
	default:
		doing = "random: switch";
		go(s, by_update);
	}
}

void check_address_spaces(void)
{
	u32 before = frames_in_use();

	irq_disable();
	check_group(GROUP_MMU);
	for (u32 s = 0; s < SPACES; s++)
		space_create(&spaces[s]);
	check_one_by_one();
	seed = 12345;
	for (u32 i = 0; i < STEPS; i++) {
		u32 s = random(SPACES);

		random_step();
		for (u32 k = 0; k < SPACES; k++)
			if (is_current(k) && !verify(k))
				i = STEPS;
		go(s, random(2));
		if (!verify(s))
			break;
	}
	doing = "all at the end";
	touch_all(0);
	for (u32 s = 0; s < SPACES; s++) {
		space_destroy(&spaces[s]);
		for (u32 place = 0; place < PLACES; place++)
			forget_frame(&model[s][place]);
	}
	space_switch(&kernel_space);
	check(frames_in_use() == before, "%d frames lost", (int)(frames_in_use() - before));
	irq_enable();
}
