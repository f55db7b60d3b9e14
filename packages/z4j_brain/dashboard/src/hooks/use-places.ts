import { type Place, PLACES } from "@/components/shell/navigation";
import { useProject } from "./use-project";

/** The places that the signed-in person may see in this project. */
export function usePlaces(): readonly Place[] {
  const { access } = useProject();
  return PLACES.filter(({ permission }) => !permission || access.permissions.includes(permission));
}
