/** The page's elements by their ids, which are its contract with index.html. */

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}`);
  return found as T;
}

export function setText(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** A list of counts, the greatest first, each with a bar of its share of the greatest. */
export function showBars(id: string, counts: Record<string, number>, none: string): void {
  const rows = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8);
  const list = element(id);
  if (rows.length === 0) {
    list.replaceChildren(item(none));
    return;
  }
  const greatest = rows[0]![1];
  list.replaceChildren(
    ...rows.map(([name, count]) => {
      const row = item(name);
      row.append(Object.assign(document.createElement('span'), { textContent: grouped(count) }));
      row.style.setProperty('--part', `${(100 * count) / greatest}%`);
      return row;
    }),
  );
}

function item(text: string): HTMLLIElement {
  const row = document.createElement('li');
  row.append(Object.assign(document.createElement('span'), { textContent: text }));
  return row;
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en');
}
