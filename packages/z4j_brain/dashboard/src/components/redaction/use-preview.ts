import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useProject } from "@/hooks/use-project";
import { type Previewed, type ProjectRules, previewQuery } from "@/services/redaction";

const PAUSE_MS = 300;

/** What rules make of a text, a moment after the last letter. */
export function usePreview(text: string, rules: ProjectRules): { data?: Previewed; error: Error | null } {
  const { project } = useProject();
  const [asked, setAsked] = useState({ text, rules });
  const isNew = asked.text !== text || JSON.stringify(asked.rules) !== JSON.stringify(rules);
  useEffect(() => {
    if (!isNew) return;
    const timer = setTimeout(() => setAsked({ text, rules }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [isNew, text, rules]);
  const query = useQuery({
    ...previewQuery(project, asked.text, asked.rules),
    enabled: asked.text !== "" || asked.rules.patterns.length > 0,
    placeholderData: keepPreviousData,
  });
  return { data: query.data, error: query.error };
}
