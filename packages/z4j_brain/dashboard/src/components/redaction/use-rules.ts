import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useProject } from "@/hooks/use-project";
import { type ProjectRules, redactionKeys, redactionQuery, replaceRules } from "@/services/redaction";

/** The project's rules, and what stores changed ones. */
export function useRules() {
  const { project } = useProject();
  const client = useQueryClient();
  const query = useQuery(redactionQuery(project));
  const save = useMutation({
    mutationFn: (rules: ProjectRules) => replaceRules(project, rules),
    onSuccess: (stored) => client.setQueryData(redactionKeys.rules(project), stored),
  });
  return { query, save };
}
