import { useEffect, useState } from "react";
import { Button } from "./button";
import { Icon } from "./icon";

/** Copies text; where the page may not use the clipboard (plain http), it selects by a field. */
export function CopyButton({ text, label = "Copy", wide = false }: { text: string; label?: string; wide?: boolean }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Button
      variant={wide ? "outline" : "ghost"}
      size={wide ? "md" : "icon-sm"}
      aria-label={wide ? undefined : label}
      title={label}
      onClick={async () => setDone(await copy(text))}
    >
      <Icon name={done ? "check" : "copy"} className={done ? "text-good" : undefined} />
      {wide && (done ? "Copied" : label)}
    </Button>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.setAttribute("aria-hidden", "true");
    field.className = "fixed opacity-0";
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}
