export function translatorDefine(): Record<string, string>;
