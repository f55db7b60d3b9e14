import { createFileRoute } from "@tanstack/react-router";
import { TaskPage } from "@/components/task/task-page";

export const Route = createFileRoute("/p/$project/tasks/$engine/$taskId")({ component: Task });

function Task() {
  const { engine, taskId } = Route.useParams();
  return <TaskPage key={`${engine}/${taskId}`} engine={engine} taskId={taskId} />;
}
