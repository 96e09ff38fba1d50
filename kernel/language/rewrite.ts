/**
 * A checked cell as JavaScript: an async function over the notebook's scope.
 *
 * The names that cells declare at their top level live on, as properties of one object that all cells share. Every
 * use of such a name becomes a property access on that object, in whatever function it stands; that is how a closure
 * sees what a later cell assigns, and how a function that is declared anew is seen by those that call it. A declaration
 * stays what it is and is copied to the scope right behind it, so that a cell that fails keeps what it had declared.
 *
 *     let n = 0;                       let n = 0; $cell.declare({ n });
 *     const next = () => ++n;    =>    const next = () => ++$scope.n; $cell.declare({ next });
 *     next()                           return [(0, $scope.next)()];
 *
 * This runs before TypeScript's own passes, which then take the types away and lower what Node doesn't know yet.
 */
import * as ts from 'typescript';
import { isLocal } from '../specifiers';
import { hasModifier, withoutExport } from './exports';
import { boundNames, declaredNames, isUse, PREVIOUS } from './names';

const SCOPE = '$scope';
const CELL = '$cell';
const f = ts.factory;

/**
 * Turns a cell's source file (with its tail, which starts at `end`) into the body of its function.
 * @param made the names that the cell makes at run time are added to it; all others that it declares are types
 */
export function cellTransformer(
  checker: ts.TypeChecker,
  end: number,
  made: Set<string>,
): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const rewriter = new Rewriter(checker, file, context, made);
    const own = file.statements.filter((statement) => statement.getStart(file) < end);
    const statements = rewriter.statements(own);
    return f.updateSourceFile(file, [f.createReturnStatement(asyncFunction(statements))]);
  };
}

/** Takes away the `export {}` that TypeScript adds to whatever was a module. */
export const withoutExports: ts.TransformerFactory<ts.SourceFile> = () => (file) =>
  f.updateSourceFile(
    file,
    file.statements.filter((statement) => !ts.isExportDeclaration(statement)),
  );

function asyncFunction(statements: ts.Statement[]): ts.Expression {
  const parameters = [SCOPE, CELL].map((name) => f.createParameterDeclaration(undefined, undefined, name));
  const modifiers = [f.createModifier(ts.SyntaxKind.AsyncKeyword)];
  const strict = f.createExpressionStatement(f.createStringLiteral('use strict'));
  const body = f.createBlock([strict, ...statements], true);
  return f.createFunctionExpression(modifiers, undefined, undefined, undefined, parameters, undefined, body);
}

class Rewriter {
  private readonly shared = new Map<ts.Symbol, boolean>();

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly file: ts.SourceFile,
    private readonly context: ts.TransformationContext,
    private readonly made: Set<string>,
  ) {}

  /** The statements of a cell: imports and functions first, the last expression returned. */
  statements(own: readonly ts.Statement[]): ts.Statement[] {
    const functions = own.filter((statement) => ts.isFunctionDeclaration(statement) && statement.body);
    const hoisted = functions.flatMap((statement) => declaredNames(statement).map(({ name }) => name));
    const imports = own
      .filter(ts.isImportDeclaration)
      .flatMap((statement) => this.importStatement(statement));
    const rest = own.filter((statement) => !ts.isImportDeclaration(statement));
    const expected = rest.filter(isNotYetThere).flatMap((statement) => this.runtimeNames(statement));
    return [
      ...(hoisted.length ? [this.declare(hoisted)] : []),
      ...(expected.length
        ? [
            this.callCell(
              'expect',
              expected.map((name) => f.createStringLiteral(name)),
            ),
          ]
        : []),
      ...imports,
      ...rest.flatMap((statement, index) => [
        this.mark(statement),
        ...this.statement(statement, index === rest.length - 1),
      ]),
    ];
  }

  /** `$cell.at(offset)`: where the cell is, for errors that don't know it themselves. */
  private mark(statement: ts.Statement): ts.Statement {
    return this.callCell('at', [f.createNumericLiteral(statement.getStart(this.file))]);
  }

  /** The statements of a block that the cell itself goes through, marked where it may wait. */
  private block(block: ts.Block): ts.Block {
    const statements = block.statements.flatMap((statement) => {
      const visited = ts.visitNode(statement, this.visit) as ts.Statement;
      return awaits(statement) ? [this.mark(statement), visited] : [visited];
    });
    return f.updateBlock(block, statements);
  }

  private statement(statement: ts.Statement, isLast: boolean): ts.Statement[] {
    if (ts.isExportDeclaration(statement)) return [];
    if (ts.isExportAssignment(statement)) {
      const value = this.expression(statement.expression);
      return [ts.setTextRange(f.createExpressionStatement(value), statement)];
    }
    if (ts.isImportEqualsDeclaration(statement)) return this.importEquals(statement);
    if (isLast && ts.isExpressionStatement(statement)) {
      const value = f.createArrayLiteralExpression([this.expression(statement.expression)]);
      return [ts.setTextRange(f.createReturnStatement(value), statement)];
    }
    return separated(statement).flatMap((one) => {
      const plain = withoutExport(ts.visitNode(one, this.visit) as ts.Statement);
      const names = this.runtimeNames(one);
      return names.length ? [plain, this.declare(names)] : [plain];
    });
  }

  /** The names of a statement that are there at run time, apart from functions, which are hoisted. */
  private runtimeNames(statement: ts.Statement): string[] {
    const isAmbient = ts.canHaveModifiers(statement) && hasModifier(statement, ts.SyntaxKind.DeclareKeyword);
    if (isAmbient || ts.isFunctionDeclaration(statement)) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap((declaration) => boundNames(declaration.name));
    }
    const isNamed =
      ts.isClassDeclaration(statement) ||
      ts.isEnumDeclaration(statement) ||
      ts.isModuleDeclaration(statement) ||
      ts.isImportEqualsDeclaration(statement);
    if (!isNamed || !statement.name || !ts.isIdentifier(statement.name)) return [];
    const symbol = this.checker.getSymbolAtLocation(statement.name);
    return symbol && this.isValue(symbol) ? [statement.name.text] : [];
  }

  /** `$cell.declare({ a, b })` */
  private declare(names: string[]): ts.Statement {
    for (const name of names) this.made.add(name);
    const properties = names.map((name) => f.createShorthandPropertyAssignment(name));
    return this.callCell('declare', [f.createObjectLiteralExpression(properties)]);
  }

  private callCell(method: string, values: ts.Expression[]): ts.ExpressionStatement {
    return f.createExpressionStatement(this.cellMethod(method, values));
  }

  private cellMethod(method: string, values: readonly ts.Expression[]): ts.CallExpression {
    return f.createCallExpression(
      f.createPropertyAccessExpression(f.createIdentifier(CELL), method),
      [],
      values,
    );
  }

  /** `await $cell.import('pkg', [['name', 'local'], …])`; nothing if only types are imported. */
  private importStatement(statement: ts.ImportDeclaration): ts.Statement[] {
    const clause = statement.importClause;
    if (clause?.isTypeOnly) return [];
    const bindings: [string, ts.Identifier][] = [];
    if (clause?.name) bindings.push(['default', clause.name]);
    const named = clause?.namedBindings;
    if (named && ts.isNamespaceImport(named)) bindings.push(['*', named.name]);
    if (named && ts.isNamedImports(named)) {
      for (const element of named.elements) {
        if (!element.isTypeOnly) bindings.push([(element.propertyName ?? element.name).text, element.name]);
      }
    }
    const values = bindings.filter(([, local]) => {
      const symbol = this.checker.getSymbolAtLocation(local);
      return symbol !== undefined && this.isValue(symbol);
    });
    if (clause && values.length === 0) return [];
    for (const [, local] of values) this.made.add(local.text);
    const pairs = values.map(([name, local]) =>
      f.createArrayLiteralExpression([f.createStringLiteral(name), f.createStringLiteral(local.text)]),
    );
    const call = this.cellMethod('import', [
      statement.moduleSpecifier,
      f.createArrayLiteralExpression(pairs),
    ]);
    const awaited = f.createAwaitExpression(ts.setTextRange(call, statement.moduleSpecifier));
    return [ts.setTextRange(f.createExpressionStatement(awaited), statement)];
  }

  /** `import a = require('a')` and `import a = Space.a` are constants. */
  private importEquals(statement: ts.ImportEqualsDeclaration): ts.Statement[] {
    const names = statement.isTypeOnly ? [] : this.runtimeNames(statement);
    if (names.length === 0) return [];
    const { moduleReference: reference, name } = statement;
    const value = ts.isExternalModuleReference(reference)
      ? this.required(reference.expression)
      : this.entity(reference);
    const constant = f.createVariableDeclaration(name, undefined, undefined, value);
    const list = f.createVariableDeclarationList([constant], ts.NodeFlags.Const);
    return [ts.setTextRange(f.createVariableStatement([], list), statement), this.declare(names)];
  }

  /** What `require` gives in `import a = require('a')`. Node's doesn't know local files in TypeScript. */
  private required(specifier: ts.Expression): ts.Expression {
    const isOurs = ts.isStringLiteral(specifier) && isLocal(specifier.text) && !NODES.test(specifier.text);
    if (isOurs) return f.createAwaitExpression(this.cellMethod('load', [specifier]));
    return f.createCallExpression(f.createIdentifier('require'), [], [specifier]);
  }

  private entity(name: ts.EntityName): ts.Expression {
    if (ts.isQualifiedName(name)) return f.createPropertyAccessExpression(this.entity(name.left), name.right);
    return this.isShared(this.checker.getSymbolAtLocation(name), name) ? this.access(name) : name;
  }

  private isValue(symbol: ts.Symbol): boolean {
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    return (target.flags & ts.SymbolFlags.Value) !== 0;
  }

  private expression(node: ts.Expression): ts.Expression {
    return ts.visitNode(node, this.visit) as ts.Expression;
  }

  private readonly visit = (node: ts.Node): ts.Node => {
    if (ts.isExpressionWithTypeArguments(node)) return ts.visitEachChild(node, this.visit, this.context);
    if (ts.isTypeNode(node) || (ts.isTypeElement(node) && !ts.isAccessor(node))) return node;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return node;
    if (ts.isIdentifier(node)) return this.identifier(node);
    if (ts.isShorthandPropertyAssignment(node)) return this.shorthand(node);
    if (ts.isBlock(node) && awaits(node) && !ts.findAncestor(node, ts.isFunctionLike))
      return this.block(node);
    if (ts.isThrowStatement(node)) {
      const value = this.cellMethod('thrown', [this.expression(node.expression)]);
      return f.updateThrowStatement(node, ts.setTextRange(value, node.expression));
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
      return f.createPropertyAccessExpression(f.createIdentifier(CELL), 'meta');
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const call = this.cellMethod('load', ts.visitNodes(node.arguments, this.visit, ts.isExpression));
      return ts.setTextRange(call, node);
    }
    return ts.visitEachChild(node, this.visit, this.context);
  };

  private identifier(id: ts.Identifier): ts.Expression {
    if (!id.parent || !isUse(id) || !this.isShared(this.checker.getSymbolAtLocation(id), id)) return id;
    const access = this.access(id);
    if (!isCalled(id)) return access;
    const callee = f.createParenthesizedExpression(f.createComma(f.createNumericLiteral(0), access));
    ts.setEmitFlags(callee, ts.EmitFlags.NoTrailingSourceMap | ts.EmitFlags.NoNestedSourceMaps);
    return ts.setTextRange(callee, id);
  }

  private access(id: ts.Identifier): ts.Expression {
    const name = id.text.endsWith(PREVIOUS) ? id.text.slice(0, -PREVIOUS.length) : id.text;
    const access = f.createPropertyAccessExpression(f.createIdentifier(SCOPE), name);
    return ts.setTextRange(ts.setOriginalNode(access, id), id);
  }

  /** `{ q }` is `{ q: $scope.q }`, and on the left of an assignment `{ q = 1 }` is `{ q: $scope.q = 1 }`. */
  private shorthand(node: ts.ShorthandPropertyAssignment): ts.Node {
    const symbol = this.checker.getShorthandAssignmentValueSymbol(node);
    if (!this.isShared(symbol, node)) return ts.visitEachChild(node, this.visitInitializer, this.context);
    const access = this.access(node.name);
    const initializer = node.objectAssignmentInitializer;
    const value = initializer ? f.createAssignment(access, this.expression(initializer)) : access;
    return ts.setTextRange(f.createPropertyAssignment(f.createIdentifier(node.name.text), value), node);
  }

  private readonly visitInitializer = (node: ts.Node): ts.Node =>
    ts.isIdentifier(node) && ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
      ? node
      : this.visit(node);

  /** Whether a symbol lives in the notebook's scope: declared at this file's top level (by the cell or its tail). */
  private isShared(symbol: ts.Symbol | undefined, use: ts.Node): boolean {
    if (!symbol) return false;
    let shared = this.shared.get(symbol);
    if (shared === undefined) {
      shared = symbol.declarations?.some((declaration) => this.isTopLevel(declaration)) ?? false;
      this.shared.set(symbol, shared);
    }
    return shared && !this.isInside(symbol, use) && !bindsItself(symbol, use);
  }

  /** A class, an enum and a namespace see themselves by their inner name: the shared one isn't there yet. */
  private isInside(symbol: ts.Symbol, use: ts.Node): boolean {
    const inner = symbol.declarations?.filter(
      (node) => ts.isClassDeclaration(node) || ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node),
    );
    return (
      inner?.some(
        (node) => node.pos <= use.pos && use.end <= node.end && node.getSourceFile() === this.file,
      ) ?? false
    );
  }

  private isTopLevel(declaration: ts.Declaration): boolean {
    if (declaration.getSourceFile() !== this.file) return false;
    let node: ts.Node = declaration;
    while (
      ts.isBindingElement(node) ||
      ts.isBindingName(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isVariableDeclarationList(node) ||
      ts.isImportSpecifier(node) ||
      ts.isNamedImports(node) ||
      ts.isNamespaceImport(node) ||
      ts.isImportClause(node)
    ) {
      node = node.parent;
    }
    return ts.isStatement(node) && node.parent === this.file && declaredNames(node).length > 0;
  }
}

/** Files that Node's `require` can load. */
const NODES = /\.(c?js|json)$/;

/** Whether a statement's names are there only once it has run: then to use them earlier is an error. */
function isNotYetThere(statement: ts.Statement): boolean {
  if (ts.isVariableStatement(statement))
    return (statement.declarationList.flags & ts.NodeFlags.BlockScoped) !== 0;
  return ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement);
}

/** Whether there is an `await` in a node, outside of functions in it. */
function awaits(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  const isWait =
    ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined);
  const isDisposal =
    ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing;
  return isWait || isDisposal || (ts.forEachChild(node, (child) => awaits(child) || undefined) ?? false);
}

/** `const a = 1, b = a` as two statements: what each declares is shared before the next one begins. */
function separated(statement: ts.Statement): ts.Statement[] {
  if (!ts.isVariableStatement(statement) || statement.declarationList.declarations.length < 2)
    return [statement];
  const { declarationList: list, modifiers } = statement;
  return list.declarations.map((declaration) => {
    const one = f.updateVariableDeclarationList(list, [declaration]);
    return ts.setTextRange(f.createVariableStatement(modifiers, one), declaration);
  });
}

/** `{ x, y = x }`: within a pattern, a name that it binds is not shared yet. (A function there is called later.) */
function bindsItself(symbol: ts.Symbol, use: ts.Node): boolean {
  const bound = symbol.valueDeclaration;
  if (!bound || !ts.isBindingElement(bound)) return false;
  let node = use;
  while (node.parent && !ts.isFunctionLike(node) && !ts.isVariableDeclaration(node.parent))
    node = node.parent;
  const isPattern = ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node);
  return isPattern && node.pos <= bound.pos && bound.end <= node.end;
}

/** Whether an expression is what a call calls: `f()`, `f!()`, `(f)()`, f`…`. */
function isCalled(node: ts.Node): boolean {
  let callee = node;
  while (
    ts.isParenthesizedExpression(callee.parent) ||
    ts.isNonNullExpression(callee.parent) ||
    ts.isAsExpression(callee.parent) ||
    ts.isSatisfiesExpression(callee.parent)
  ) {
    callee = callee.parent;
  }
  const parent = callee.parent;
  if (ts.isTaggedTemplateExpression(parent)) return parent.tag === callee;
  return ts.isCallExpression(parent) && parent.expression === callee;
}
