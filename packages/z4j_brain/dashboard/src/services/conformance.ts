// Holds the types of the services against those that `npm run types` writes from the brain's own
// description. Nothing runs here; `npm run types:check` fails where the two disagree.
import type { Assertion, CreationOptions, Registration, RequestOptions } from "@/lib/webauthn";
import type { Enrolment, Identity, OwnSession, SecondFactor } from "./account";
import type { ActionView } from "./actions";
import type { Passkey, PasskeyCreated, PasskeyList } from "./passkeys";
import type { AgentView, TokenView } from "./agents";
import type { AuditEntry, AuditList, AuditVerified } from "./audit";
import type { BulkCounts, BulkEstimate, BulkMember, BulkRun, Canary, NewBulkRun } from "./bulk-runs";
import type { CommandView } from "./commands";
import type { Facets } from "./facets";
import type { Decision, IssueDetail, IssueHour, IssueList, IssuePlace, IssueSummary, NewDecision } from "./issues";
import type { InstanceStatus, ProjectNamed, ProjectSummary, SettingView, TableView } from "./instance";
import type { KeyForm, KeyView } from "./keys";
import type { components } from "./openapi.gen";
import type { Bucket, Notice, Overview, QueueRow } from "./overview";
import type { QueueDetail, QueueList, QueuePoint, QueueView } from "./queues";
import type { AccountView, InvitationCheck, InvitationView, MemberView } from "./people";
import type { Previewed, ProjectRules, Redaction } from "./redaction";
import type { ScheduleDetail, ScheduleView, StoreList, StoreView } from "./schedules";
import type { Durations, Figures, Group, Point, Series, Totals } from "./series";
import type { ProjectAccess, Session } from "./session";
import type { Attempt, EventView, TaskAction, TaskDetail, TaskSummary, TaskTree, TreeTask } from "./tasks";
import type { WorkerView } from "./workers";

type Brain = components["schemas"];

/** Members of ours that the brain does not send, or whose types have nothing in common. Ours may
 * be narrower: a state is one of nine words here and a string there. */
type Disagreements<Ours, Theirs> = {
  [Name in keyof Ours]-?: Name extends keyof Theirs
    ? Ours[Name] extends Theirs[Name]
      ? never
      : Theirs[Name] extends Ours[Name]
        ? never
        : Name
    : Name;
}[keyof Ours];

type Agree<Pairs extends readonly never[]> = Pairs;

export type Checked = Agree<
  [
    Disagreements<TaskSummary, Brain["TaskSummary"]>,
    Disagreements<TaskDetail, Brain["TaskDetail"]>,
    Disagreements<Attempt, Brain["AttemptView"]>,
    Disagreements<TaskAction, Brain["TaskAction"]>,
    Disagreements<EventView, Brain["EventView"]>,
    Disagreements<TaskTree, Brain["TaskTree"]>,
    Disagreements<TreeTask, Brain["TreeTask"]>,
    Disagreements<WorkerView, Brain["WorkerView"]>,
    Disagreements<ScheduleView, Brain["ScheduleView"]>,
    Disagreements<ScheduleDetail, Brain["ScheduleDetail"]>,
    Disagreements<StoreView, Brain["StoreView"]>,
    Disagreements<StoreList, Brain["StoreList"]>,
    Disagreements<OwnSession, Brain["OwnSessionView"]>,
    Disagreements<SecondFactor, Brain["SecondFactorView"]>,
    Disagreements<Enrolment, Brain["EnrolmentView"]>,
    Disagreements<Passkey, Brain["PasskeyView"]>,
    Disagreements<PasskeyList, Brain["PasskeyList"]>,
    Disagreements<PasskeyCreated, Brain["PasskeyCreated"]>,
    Disagreements<CreationOptions, Brain["CreationOptions"]>,
    Disagreements<RequestOptions, Brain["RequestOptions"]>,
    Disagreements<Registration, Brain["RegistrationForm"]>,
    Disagreements<Assertion, Brain["AssertionForm"]>,
    Disagreements<Identity, Brain["IdentityView"]>,
    Disagreements<AgentView, Brain["AgentView"]>,
    Disagreements<TokenView, Brain["TokenView"]>,
    Disagreements<KeyView, Brain["KeyView"]>,
    Disagreements<KeyForm, Brain["KeyForm"]>,
    Disagreements<MemberView, Brain["MemberView"]>,
    Disagreements<InvitationView, Brain["InvitationView"]>,
    Disagreements<InvitationCheck, Brain["InvitationCheck"]>,
    Disagreements<AccountView, Brain["AccountView"]>,
    Disagreements<ActionView, Brain["ActionView"]>,
    Disagreements<CommandView, Brain["CommandView"]>,
    Disagreements<BulkRun, Brain["BulkRunView"]>,
    Disagreements<Canary, Brain["CanaryView"]>,
    Disagreements<BulkCounts, Brain["BulkCounts"]>,
    Disagreements<BulkMember, Brain["BulkMemberView"]>,
    Disagreements<BulkEstimate, Brain["BulkEstimateView"]>,
    Disagreements<NewBulkRun, Brain["NewBulkRun"]>,
    Disagreements<AuditEntry, Brain["AuditEntry"]>,
    Disagreements<AuditList, Brain["AuditList"]>,
    Disagreements<AuditVerified, Brain["AuditVerified"]>,
    Disagreements<Redaction, Brain["RedactionView"]>,
    Disagreements<ProjectRules, Brain["ProjectRules"]>,
    Disagreements<Previewed, Brain["Previewed"]>,
    Disagreements<Facets, Brain["FacetsView"]>,
    Disagreements<Overview, Brain["Overview"]>,
    Disagreements<Bucket, Brain["Bucket"]>,
    Disagreements<QueueRow, Brain["QueueRow"]>,
    Disagreements<IssueSummary, Brain["IssueSummary"]>,
    Disagreements<IssueDetail, Brain["IssueDetail"]>,
    Disagreements<IssueHour, Brain["IssueHour"]>,
    Disagreements<IssuePlace, Brain["IssuePlace"]>,
    Disagreements<IssueList, Brain["IssueList"]>,
    Disagreements<Decision, Brain["Decision"]>,
    Disagreements<NewDecision, Brain["NewDecision"]>,
    Disagreements<QueueList, Brain["QueueList"]>,
    Disagreements<QueueView, Brain["QueueView"]>,
    Disagreements<QueueDetail, Brain["QueueDetail"]>,
    Disagreements<QueuePoint, Brain["QueuePoint"]>,
    Disagreements<Notice, Brain["NoticeView"]>,
    Disagreements<Series, Brain["SeriesView"]>,
    Disagreements<Totals, Brain["TotalsView"]>,
    Disagreements<Group, Brain["GroupView"]>,
    Disagreements<Point, Brain["PointView"]>,
    Disagreements<Figures, Brain["FiguresView"]>,
    Disagreements<Durations, Brain["Durations"]>,
    Disagreements<ProjectSummary, Brain["ProjectSummary"]>,
    Disagreements<ProjectNamed, Brain["ProjectNamed"]>,
    Disagreements<InstanceStatus, Brain["InstanceView"]>,
    Disagreements<TableView, Brain["TableView"]>,
    Disagreements<SettingView, Brain["SettingView"]>,
    Disagreements<Session, Brain["SessionView"]>,
    Disagreements<ProjectAccess, Brain["ProjectView"]>,
  ]
>;
