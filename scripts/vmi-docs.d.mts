export function document(text: string, calls: readonly object[]): Promise<string>;
