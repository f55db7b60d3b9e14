import { ExactNumber } from "@/services/exact-json";

/** The part of JSON Schema that engines use to describe the parameters of an action. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
}

export type Kind = "string" | "number" | "integer" | "boolean" | "enum" | "fields" | "array" | "object" | "json";

/** How one place of the form is edited. */
export interface Shape {
  kind: Kind;
  nullable: boolean;
  schema: Schema;
  options: unknown[];
}

/** Something typed that is no value yet, such as half a number or broken JSON. */
export class Unreadable {
  readonly text: string;
  readonly message: string;

  constructor(text: string, message: string) {
    this.text = text;
    this.message = message;
  }
}

const MAX_REFERENCES = 20;

/** Follows `$ref` inside the document and folds a lone `allOf`; what the place itself says
 * (title, description, default) wins. Unknown or circular references become "anything". */
export function resolve(schema: Schema, root: Schema): Schema {
  let found = schema;
  for (let step = 0; step < MAX_REFERENCES; step++) {
    const next = found.$ref ? lookUp(found.$ref, root) : found.allOf?.length === 1 ? found.allOf[0] : null;
    if (next === null) return found;
    const { $ref: _ref, allOf: _all, ...own } = found;
    found = { ...next, ...own };
  }
  return {};
}

function lookUp(reference: string, root: Schema): Schema {
  const name = /^#\/\$defs\/(.+)$/.exec(reference)?.[1];
  return (name && root.$defs?.[name.replaceAll("~1", "/").replaceAll("~0", "~")]) || {};
}

export function shapeOf(place: Schema, root: Schema): Shape {
  const schema = resolve(place, root);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return shapeOfChoices(schema, choices, root);
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    const nullable = types.length < schema.type.length;
    if (types.length !== 1) return { kind: "json", nullable, schema, options: [] };
    return { ...shapeOf({ ...schema, type: types[0] }, root), nullable };
  }
  if (schema.enum || schema.const !== undefined) {
    const all = schema.enum ?? [schema.const];
    const options = all.filter((option) => option !== null);
    return { kind: "enum", nullable: options.length < all.length, schema, options };
  }
  return { kind: kindOf(schema), nullable: false, schema, options: [] };
}

function shapeOfChoices(schema: Schema, choices: Schema[], root: Schema): Shape {
  const isNull = (choice: Schema) => resolve(choice, root).type === "null";
  const rest = choices.filter((choice) => !isNull(choice));
  const nullable = rest.length < choices.length;
  const only = rest.length === 1 ? rest[0] : undefined;
  if (!only) return { kind: "json", nullable, schema, options: [] };
  const { anyOf: _any, oneOf: _one, ...own } = schema;
  const inner = shapeOf(only, root);
  return { ...inner, nullable: nullable || inner.nullable, schema: { ...inner.schema, ...own } };
}

function kindOf(schema: Schema): Kind {
  switch (schema.type) {
    case "string":
    case "number":
    case "integer":
    case "boolean":
    case "array":
      return schema.type;
    case "object":
      return schema.properties && Object.keys(schema.properties).length ? "fields" : "object";
    default:
      return schema.properties ? "fields" : "json";
  }
}

/** The value a form starts with; undefined means "left out". */
export function initialValue(place: Schema, root: Schema, required: boolean): unknown {
  const { kind, nullable, schema, options } = shapeOf(place, root);
  if (kind === "fields") {
    if (!required && schema.default === null) return null;
    const given = isObject(schema.default) ? schema.default : {};
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, property]) => [
        name,
        given[name] ?? initialValue(property, root, schema.required?.includes(name) ?? false),
      ]),
    );
  }
  if (schema.default !== undefined) return schema.default;
  if (nullable) return required ? null : undefined;
  if (!required) return undefined;
  if (kind === "boolean") return false;
  if (kind === "array") return [];
  if (kind === "object") return {};
  if (kind === "enum") return options[0];
  return undefined;
}

/** The object that is sent: without what was left out and what equals its default. */
export function paramsOf(place: Schema, root: Schema, value: unknown): unknown {
  const { kind, schema } = shapeOf(place, root);
  if (kind !== "fields" || !isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const inner = paramsOf(property, root, value[name]);
    const isRequired = schema.required?.includes(name) ?? false;
    const preset = resolve(property, root).default;
    if (inner === undefined || (!isRequired && sameJson(inner, preset))) continue;
    kept[name] = inner;
  }
  return kept;
}

/** The object that is sent where the rest stays as it is: what differs from `before`, and what
 * may not be left out. */
export function changesOf(root: Schema, before: unknown, value: unknown): Record<string, unknown> {
  if (!isObject(value)) return {};
  const known = isObject(before) ? before : {};
  const required = shapeOf(root, root).schema.required ?? [];
  return Object.fromEntries(
    Object.entries(value).filter(
      ([name, each]) => each !== undefined && (required.includes(name) || !sameJson(each, known[name])),
    ),
  );
}

const sameJson = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other);

export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    value !== null && typeof value === "object" && !Array.isArray(value) &&
    !(value instanceof ExactNumber) && !(value instanceof Unreadable)
  );
}

const UNITS: Record<string, string> = {
  _s: "seconds",
  _ms: "milliseconds",
  _us: "microseconds",
  _bytes: "bytes",
  _percent: "percent",
};

/** A label from a property's name: "delay_s" is "Delay", in seconds. */
export function labelOf(name: string, schema: Schema): { label: string; unit: string | null } {
  const suffix = Object.keys(UNITS).find((end) => name.endsWith(end) && name.length > end.length);
  const stem = suffix ? name.slice(0, -suffix.length) : name;
  const words = stem.replaceAll("_", " ").trim();
  const label = schema.title ?? words.charAt(0).toUpperCase() + words.slice(1);
  return { label, unit: suffix ? (UNITS[suffix] ?? null) : null };
}
