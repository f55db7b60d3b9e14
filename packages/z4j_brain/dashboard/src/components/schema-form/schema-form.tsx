import { useState } from "react";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import { readJson, readNumber, writeValue } from "@/schema/read";
import { isObject, labelOf, type Schema, type Shape, shapeOf } from "@/schema/schema";
import type { Fault } from "@/schema/validate";

interface SchemaFormProps {
  schema: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
  faults: Fault[];
  root?: Schema;
  pointer?: string;
}

/** Draws a form from a JSON Schema object. It knows no action and no engine. */
export function SchemaForm({ schema, value, onChange, faults, root = schema, pointer = "" }: SchemaFormProps) {
  const { kind, schema: found } = shapeOf(schema, root);
  if (kind !== "fields") return null;
  const values = isObject(value) ? value : {};
  const required = new Set(found.required ?? []);
  return (
    <div className="flex flex-col gap-3">
      {Object.entries(found.properties ?? {}).map(([name, property]) => (
        <Property
          key={name}
          name={name}
          schema={property}
          root={root}
          value={values[name]}
          isRequired={required.has(name)}
          faults={faults}
          pointer={`${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`}
          onChange={(next) => onChange({ ...values, [name]: next })}
        />
      ))}
    </div>
  );
}

interface PropertyProps {
  name: string;
  schema: Schema;
  root: Schema;
  value: unknown;
  isRequired: boolean;
  faults: Fault[];
  pointer: string;
  onChange: (value: unknown) => void;
}

function Property({ name, schema, root, value, isRequired, faults, pointer, onChange }: PropertyProps) {
  const shape = shapeOf(schema, root);
  const { label, unit } = labelOf(name, schema);
  const fault = faults.find((each) => each.pointer === pointer)?.message ?? null;
  if (shape.kind === "fields") {
    return (
      <fieldset className="rounded-md border border-line p-3">
        <legend className="px-1 text-xs font-medium text-ink-2">{label}</legend>
        {shape.schema.description && <p className="mb-2 text-xs text-ink-3">{shape.schema.description}</p>}
        <SchemaForm
          schema={shape.schema}
          root={root}
          value={value}
          onChange={onChange}
          faults={faults}
          pointer={pointer}
        />
      </fieldset>
    );
  }
  const hint = [shape.schema.description, unit && `In ${unit}.`].filter(Boolean).join(" ");
  return (
    <Field label={label} hint={hint || undefined} fault={fault} optional={!isRequired}>
      {(ids) => <Control ids={ids} shape={shape} value={value} onChange={onChange} isRequired={isRequired} />}
    </Field>
  );
}

interface ControlProps {
  ids: Record<string, unknown>;
  shape: Shape;
  value: unknown;
  isRequired: boolean;
  onChange: (value: unknown) => void;
}

function Control({ ids, shape, value, isRequired, onChange }: ControlProps) {
  const empty = shape.nullable ? null : undefined;
  switch (shape.kind) {
    case "boolean":
    case "enum":
      return <Choice ids={ids} shape={shape} value={value} onChange={onChange} isRequired={isRequired} />;
    case "string":
      return (
        <Input
          {...ids}
          value={typeof value === "string" ? value : ""}
          maxLength={shape.schema.maxLength}
          placeholder={isRequired ? "" : "not set"}
          // What cannot be left out may be empty text; elsewhere empty means "not set".
          onChange={(event) => onChange(event.target.value || (isRequired && !shape.nullable ? "" : empty))}
        />
      );
    case "number":
    case "integer":
      return (
        <Draft
          ids={ids}
          value={value}
          placeholder={isRequired ? "" : "not set"}
          numeric
          onRead={(text) => onChange(readNumber(text, shape.kind === "integer") ?? empty)}
        />
      );
    default:
      return <Draft ids={ids} value={value} placeholder="JSON" onRead={(text) => onChange(readJson(text) ?? empty)} />;
  }
}

/** Holds the text as typed, because half a number or half a JSON document is no value. */
function Draft({
  ids,
  value,
  placeholder,
  numeric = false,
  onRead,
}: {
  ids: Record<string, unknown>;
  value: unknown;
  placeholder: string;
  numeric?: boolean;
  onRead: (text: string) => void;
}) {
  const [text, setText] = useState(() => writeValue(value));
  const change = (next: string) => {
    setText(next);
    onRead(next);
  };
  if (numeric) {
    return (
      <Input
        {...ids}
        inputMode="decimal"
        className="num"
        placeholder={placeholder}
        value={text}
        onChange={(event) => change(event.target.value)}
      />
    );
  }
  return (
    <Textarea
      {...ids}
      rows={Math.min(12, Math.max(2, text.split("\n").length))}
      placeholder={placeholder}
      value={text}
      onChange={(event) => change(event.target.value)}
    />
  );
}

function Choice({ ids, shape, value, onChange, isRequired }: ControlProps) {
  const options = shape.kind === "boolean" ? [true, false] : shape.options;
  const mayBeEmpty = shape.nullable || (!isRequired && shape.schema.default === undefined);
  const at = options.findIndex((option) => option === value);
  return (
    <Select
      {...ids}
      value={at < 0 ? "" : String(at)}
      onChange={(event) =>
        onChange(
          event.target.value === "" ? (shape.nullable ? null : undefined) : options[Number(event.target.value)],
        )
      }
    >
      {(mayBeEmpty || at < 0) && <option value="">not set</option>}
      {options.map((option, index) => (
        <option key={String(option)} value={index}>
          {shape.kind === "boolean" ? (option ? "yes" : "no") : String(option)}
        </option>
      ))}
    </Select>
  );
}
