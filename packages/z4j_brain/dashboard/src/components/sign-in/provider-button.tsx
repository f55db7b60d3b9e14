import { useMutation } from "@tanstack/react-query";
import { Button } from "@/components/ui/button";
import { beginProviderSignIn } from "@/services/session";
import { keepReturn } from "./return-address";

interface ProviderButtonProps {
  name: string;
  next?: string;
  variant?: "primary" | "outline";
}

/** Leads to the identity provider; it sends the browser back to /sign-in/provider. */
export function ProviderButton({ name, next, variant = "primary" }: ProviderButtonProps) {
  const leave = useMutation({
    mutationFn: beginProviderSignIn,
    onSuccess: ({ url }) => {
      keepReturn(next);
      window.location.assign(url);
    },
  });
  return (
    <div className="flex flex-col gap-3">
      {leave.error && (
        <p role="alert" className="text-bad">
          {leave.error.message}
        </p>
      )}
      <Button variant={variant} size="lg" disabled={leave.isPending || leave.isSuccess} onClick={() => leave.mutate()}>
        Sign in with {name}
      </Button>
    </div>
  );
}
