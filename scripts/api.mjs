// `npm run api`: docs/api.md from the docstrings of what the package exports. A test tells when the
// file is older than the source.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'prettier';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Files in the order of reading, and the names that come first; others follow as they stand. */
const SECTIONS = [
  { title: '`vmi86`', file: 'host/embed/node.ts', names: ['createMachine'] },
  { file: 'host/embed/types.ts', names: ['CreateOptions', 'VirtualMachine', 'Serial', 'Events'] },
  { file: 'host/embed/errors.ts', names: ['VmError'] },
  { title: '`vmi86/v86`', file: 'host/embed/v86-node.ts', names: ['V86'] },
  { file: 'host/embed/v86.ts', names: ['V86Options', 'V86Base'] },
];

const HEAD = `# The package's interface

Made from the source's docstrings by \`npm run api\`. How to put it to use, in Node, in a browser and
in a worker: [embedding.md](embedding.md).
`;

/** The text that docs/api.md should have. */
export async function apiText() {
  const parts = [HEAD];
  for (const { title, file, names } of SECTIONS) {
    if (title) parts.push(`## ${title}`);
    const text = readFileSync(join(root, file), 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    const declared = source.statements.filter(
      (node) => isExported(node) && !ts.isExportDeclaration(node) && node.name,
    );
    const rank = (node) => names.indexOf(node.name.text) + 1 || names.length + 1;
    declared.sort((a, b) => rank(a) - rank(b));
    for (const node of declared) parts.push(...describe(node, source));
  }
  const options = JSON.parse(readFileSync(join(root, '.prettierrc'), 'utf8'));
  return format(parts.join('\n\n'), { ...options, parser: 'markdown', proseWrap: 'preserve' });
}

function isExported(node) {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function describe(node, source) {
  const parts = [`### ${node.name.text}`, comment(node)];
  if (ts.isFunctionDeclaration(node)) parts.push(code(signature(node, source)));
  else if (ts.isTypeAliasDeclaration(node)) parts.push(code(withoutExport(node, source)));
  else parts.push(members([...node.members, ...properties(node)], source));
  return parts.filter(Boolean);
}

/** Constructor parameters that are properties. */
function properties(node) {
  const { parameters = [] } = node.members.find(ts.isConstructorDeclaration) ?? {};
  return parameters.filter((one) => ts.isParameterPropertyDeclaration(one, one.parent));
}

/** A table row a member; members of members are named with a dot. */
function members(list, source) {
  const rows = list.flatMap((member) => rowsOf(member, source, ''));
  if (rows.length === 0) return '';
  return ['| member | meaning |', '| --- | --- |', ...rows].join('\n');
}

function rowsOf(member, source, prefix) {
  const hidden = (ts.getCombinedModifierFlags(member) &
    (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0; // prettier-ignore
  if (hidden || ts.isConstructorDeclaration(member) || !member.name) return [];
  const name = prefix + member.name.getText(source);
  const optional = member.questionToken ? '?' : '';
  if (ts.isPropertyDeclaration(member) && !member.type) {
    return []; // a constant of the class, as an error's name
  }
  const { type } = member;
  if (type && ts.isTypeLiteralNode(type) && type.members.some((one) => comment(one))) {
    return type.members.flatMap((one) => rowsOf(one, source, `${name}.`));
  }
  const shape = isCallable(member)
    ? `${name}${signature(member, source).replace(/^[^(<]*/, '')}`
    : `${name}${optional}: ${type ? flat(type.getText(source)) : ''}`;
  const text = comment(member).replace(/\n\n/g, '<br>').replace(/\n/g, ' ');
  return [`| \`${shape.replaceAll('|', '\\|')}\` | ${text.replaceAll('|', '\\|')} |`];
}

function isCallable(member) {
  return ts.isMethodSignature(member) || ts.isMethodDeclaration(member);
}

function signature(node, source) {
  const types = node.typeParameters?.map((one) => one.getText(source)).join(', ');
  const parameters = node.parameters
    .map((one) => {
      const name = ts.isIdentifier(one.name) ? one.name.text : 'options';
      const optional = one.questionToken || one.initializer ? '?' : '';
      return `${name}${optional}: ${flat(one.type?.getText(source) ?? 'unknown')}`;
    })
    .join(', ');
  const result = flat(node.type?.getText(source) ?? 'void');
  return `${node.name.getText(source)}${types ? `<${types}>` : ''}(${parameters}): ${result}`;
}

function withoutExport(node, source) {
  return node.getText(source).replace(/^export /, '');
}

function code(text) {
  return '```ts\n' + text.replace(/\/\*\*[^]*?\*\/\s*/g, '') + '\n```';
}

function flat(text) {
  return text.replace(/\/\*\*[^]*?\*\/\s*/g, '').replace(/\s+/g, ' ');
}

/** A declaration's docstring with its tags as sentences. */
function comment(node) {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = docs.map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '').join('\n');
  const tags = docs
    .flatMap((doc) => doc.tags ?? [])
    .map((tag) => {
      const words = ts.getTextOfJSDocComment(tag.comment) ?? '';
      if (tag.tagName.text === 'param') return `\`${tag.name.getText()}\`: ${words}`;
      if (tag.tagName.text === 'throws') {
        // The parser takes the first word for a type.
        const type = tag.typeExpression?.getText() ?? '';
        return `Throws ${type} ${words}`.replace(/\s+/g, ' ');
      }
      return words;
    });
  return [text, ...tags].filter(Boolean).join('\n\n').trim();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(join(root, 'docs/api.md'), await apiText());
}
