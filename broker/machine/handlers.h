// One handler for each kind of command, each in the file of its name. A handler returns the answer,
// or an Error before it has written anything: then the command is refused and only the record of
// the attempt is written. An Error DATA_LOSS or from the store stops the broker.
#pragma once

#include "broker/machine/context.h"

namespace schakel::machine {

// publish.cc
Result<Answer> Apply(Context& ctx, const PublishEnvelope& command);
// deliver.cc
Result<Answer> Apply(Context& ctx, const Deliver& command);
// settle.cc
Result<Answer> Apply(Context& ctx, const Acknowledge& command);
Result<Answer> Apply(Context& ctx, const Refuse& command);
// report_outcome.cc
Result<Answer> Apply(Context& ctx, const ReportOutcome& command);
// lease.cc
Result<Answer> Apply(Context& ctx, const Release& command);
Result<Answer> Apply(Context& ctx, const Extend& command);
Result<Answer> Apply(Context& ctx, const CancelDelivery& command);
Result<Answer> Apply(Context& ctx, const ReleaseStream& command);
Result<Answer> Apply(Context& ctx, const ReleaseLeftovers& command);
// attach_subject.cc
Result<Answer> Apply(Context& ctx, const AttachSubject& command);
// statement.cc
Result<Answer> Apply(Context& ctx, const RecordStatement& command);
// withdraw.cc
Result<Answer> Apply(Context& ctx, const WithdrawStatement& command);
// consult.cc
Result<Answer> Apply(Context& ctx, const Preflight& command);
Result<Answer> Apply(Context& ctx, const CheckConsent& command);
Result<Answer> Apply(Context& ctx, const ListStatements& command);
// directory.cc
Result<Answer> Apply(Context& ctx, const AdmitOrganisation& command);
Result<Answer> Apply(Context& ctx, const DisableOrganisation& command);
// key_set.cc
Result<Answer> Apply(Context& ctx, const RegisterKeySet& command);
// activate_policy.cc
Result<Answer> Apply(Context& ctx, const ActivatePolicy& command);
// record_query.cc
Result<Answer> Apply(Context& ctx, const RecordQuery& command);
// remind.cc
Result<Answer> Apply(Context& ctx, const Remind& command);
// denied.cc
Result<Answer> Apply(Context& ctx, const DeniedAttempt& command);
// tick.cc
Result<Answer> Apply(Context& ctx, const Tick& command);
// sweep.cc
Result<Answer> Apply(Context& ctx, const Sweep& command);
// genesis.cc
Result<Answer> Apply(Context& ctx, const Genesis& command);
Result<Answer> Apply(Context& ctx, const Recover& command);
Result<Answer> Apply(Context& ctx, const AcceptTime& command);

// ---- Steps that several kinds share ----

// LIMIT: at most kDeniedRecordsPerMinute records a minute and organisation and reason; what is
// beyond is counted and written as one record when the minute is over. denied.cc
Status RecordDenied(Context& ctx, const std::string& organisation, const std::string& reason,
                    const std::string& rpc, const Bytes& signal_id = {});
Status FlushDenied(Context& ctx, BytesView payload);

// Decides the queued items about a subject anew and withholds those that nothing permits any more,
// at most kSweepItemsMax from `cursor` on; a timer goes on where it ended. recheck.cc
Status RecheckQueued(Context& ctx, const v1::SubjectRefPair& pair, const Bytes& cursor);
Status RecheckQueuedFrom(Context& ctx, BytesView payload);
// Withholds one item. recheck.cc
Status Withhold(Context& ctx, struct PlacedItem& placed, const std::string& fine_reason,
                bool subject_dependent);
// Decides a queued item anew and withholds it when nothing permits it any more. recheck.cc
Status WithholdIfDenied(Context& ctx, struct PlacedItem& placed);
// Notices to those who read something on the strength of a statement that was withdrawn. Who holds
// a lease on it may not have been written to yet: it gets its notice when such deliveries have been
// cancelled, so that nobody is told of what it never read. notify.cc
Status NotifyReaders(Context& ctx, const StatementId& statement);
Status NotifyReadersFrom(Context& ctx, BytesView payload);

// What the chain director sees of those who have to act. stalled.cc
//
// A signal's term ended: whoever still has to act stands in the list from now on.
Status SignalStalls(Context& ctx, const OrganisationId& sender, const SignalId& id,
                    const state::v1::SignalState& signal);
// A recipient's system failed on it: it stands in the list until the signal ends.
Status ListDeadLetter(Context& ctx, const struct PlacedItem& placed);
// A recipient is done: it no longer stands in the list.
void EndStalled(Context& ctx, const state::v1::SignalState& signal, const ItemKey& item);

// A bundle is the active one from now on: kept, and remembered as such at this moment.
// activate_policy.cc
void SetActiveBundle(Context& ctx, Bytes bundle, const Digest& digest, const std::string& by,
                     uint64_t record_index);

// Destroys what is kept of a signal. sweep_signals.cc
Status PurgeSignal(Context& ctx, const OrganisationId& sender, const SignalId& id);
// Keeps the queue of statements' ends as a statement has it now; `before` is empty for a new one.
// sweep_statements.cc
void SetStatementEnd(Context& ctx, const StatementId& id, const state::v1::StatementState& before,
                     const state::v1::StatementState& now);

// Timers that are due. tick.cc calls these.
Status LeaseRanOut(Context& ctx, BytesView payload);         // lease.cc
Status SignalExpired(Context& ctx, BytesView payload);       // expire.cc
Status NoticeEnded(Context& ctx, BytesView payload);         // notify.cc
Status ForgetFetch(Context& ctx, BytesView payload);         // deliver.cc
Status ExpireItem(Context& ctx, struct PlacedItem& placed);  // expire.cc

}  // namespace schakel::machine
