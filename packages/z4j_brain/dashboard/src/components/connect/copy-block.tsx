import { CopyButton } from "@/components/ui/copy-button";

/** Text to paste elsewhere, with its button; the block itself can be selected, too. */
export function CopyBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className="relative">
      <pre
        tabIndex={0}
        aria-label={label}
        className="rounded-md border border-line bg-code py-2.5 pr-24 pl-3 leading-5 break-all whitespace-pre-wrap text-ink"
      >
        {text}
      </pre>
      <div className="absolute top-1.5 right-1.5">
        <CopyButton text={text} label="Copy" wide />
      </div>
    </div>
  );
}
