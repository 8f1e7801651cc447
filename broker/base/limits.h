// INVARIANT I10: everything has a limit. All of them stand here, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace schakel::limits {

using namespace std::chrono_literals;

// ---- Envelope (proto/ENVELOPE.md) ----
inline constexpr size_t kRecipientsMax = 32;  // more is a broadcast, not a signal
inline constexpr size_t kSectionsMax = 64;    // 8 life domains and safety, some per person
inline constexpr size_t kSubjectsMax = 16;    // a household
inline constexpr size_t kWrapsPerSectionMax = kRecipientsMax;
inline constexpr size_t kEnvelopeBytesMax = 256 * 1024;    // four of the largest sections with room
inline constexpr size_t kBatchEnvelopesMax = 64;           // one signature, a path of 6 hashes
inline constexpr size_t kBatchBytesMax = 4 * 1024 * 1024;  // gRPC's own default for a message
inline constexpr size_t kPublishWindowMax = 512;  // unanswered on a stream; 2,048 may queue in all
inline constexpr size_t kPublishStreamBytesMax = 2 * kBatchBytesMax;  // and their bytes
inline constexpr size_t kPublishAnswerResultsMax = 256;  // of one answer: 100 KiB with receipts
inline constexpr size_t kHeaderBytesMax = 2048;          // all its fields at their longest
inline constexpr size_t kRoutingBytesMax = 16 * 1024;    // 32 recipients and 16 subjects
inline constexpr size_t kMetaBytesMax = 2048;            // 16 labels, conditions, one SubjectRef
inline constexpr size_t kValuesMax = 64 + 64 * 32 + 1 + 15;  // sd's, wd's, rt, filling
inline constexpr size_t kCodeBytesMax = 64;        // codes of the bundle: types, purposes, grounds
inline constexpr size_t kAttestationsMax = 16;     // conditions that a sender attests per section
inline constexpr auto kExpiryMax = 90 * 24h;       // key sets live at most 90 days
inline constexpr auto kCreatedAheadMax = 5min;     // clocks of partners differ
inline constexpr auto kCreatedAgeMax = 24h;        // an outbox survives a day without network
inline constexpr auto kOnceKeepAfterExpiry = 24h;  // a retry in flight at expiry gets its answer

// ---- Texts that people write ----
inline constexpr size_t kActorBytesMax = 128;  // opaque user id of a member's own system
inline constexpr size_t kActorRoleBytesMax = 64;
inline constexpr size_t kReasonTextBytesMax = 500;  // a refusal's reason
inline constexpr size_t kNameBytesMax = 200;        // an organisation's name
inline constexpr size_t kReferenceBytesMax = 200;   // an auditor's reference
inline constexpr size_t kFormVersionBytesMax = 64;
inline constexpr size_t kLanguageBytesMax = 35;  // BCP 47, 4.4.1: enough for every tag in use

// ---- Directory ----
inline constexpr size_t kOrganisationsMax = 10'000;  // listed in memory by the broker
inline constexpr size_t kFunctionsPerOrganisationMax = 64;
inline constexpr size_t kAreasPerOrganisationMax = 64;
inline constexpr size_t kAuditedOinsMax = 256;
inline constexpr size_t kCertificateChainMax = 5;
inline constexpr size_t kCertificateBytesMax = 16 * 1024;
inline constexpr auto kKeySetValidityMax = 90 * 24h;

// ---- Consent ----
inline constexpr size_t kStatementsPerSubjectMax =
    256;  // an objection looks at each of them in one command
inline constexpr size_t kKeptStatementsMax = 64;
inline constexpr size_t kStatementBytesMax = 4096;
inline constexpr auto kStatementValidityMax = 10 * 365 * 24h;

// ---- Policy bundle ----
inline constexpr size_t kBundleBytesMax = 3 * 1024 * 1024;  // fits in one message of 4 MiB
inline constexpr size_t kBundleFilesMax = 1000;
inline constexpr size_t kRulesMax = 20'000;

// ---- Inbox ----
inline constexpr auto kLeaseMin = 30s;
inline constexpr auto kLeaseMax = 12h;  // a working day and the way home
inline constexpr auto kLeaseDefaultPull = 60s;
inline constexpr auto kLeaseDefaultFetch = 8h;
inline constexpr uint32_t kExpiredLeasesMax = 10;  // then a dead letter
inline constexpr size_t kPullWindowMax = 256;      // unacknowledged items of one stream
inline constexpr size_t kDeliverPerCommandMax =
    kPullWindowMax;                          // one delivery command leases at most so many
inline constexpr size_t kPullBatchMax = 64;  // deliveries of one message
inline constexpr size_t kPullBatchBytesMax =
    512 * 1024;  // of one message: what a withdrawal may have to wait for
inline constexpr size_t kAcknowledgementsMax = kPullWindowMax;  // of one message
inline constexpr size_t kSettlementsPerStreamMax =
    kPullWindowMax;  // unread answers; then the stream waits
inline constexpr size_t kFetchMax = 64;
inline constexpr size_t kReportsPerItemMax =
    16;  // how it stands may change, not every day for years
inline constexpr size_t kInboxBytesPerStreamMax =
    4 * 1024 * 1024;                            // waiting to be written to one reader
inline constexpr auto kWriteTimeout = 30s;      // a write not taken within it closes the stream
inline constexpr auto kWithdrawalWaitMax = 5s;  // writes in progress get so long before a cancel
inline constexpr size_t kPendingPerRecipientMax = 1'000'000;

// ---- Flow ----
inline constexpr auto kReminderEvery = 24h;         // of one signal: a reminder is no alarm bell
inline constexpr size_t kFlowSignalsMax = 500'000;  // that figures are made from: some 100 MB

// ---- Commands ----
inline constexpr size_t kSweepItemsMax = 1000;  // of one sweep, settle or release-all command
inline constexpr auto kDestroyGrace = 24h;  // behind its due time: a clock error destroys nothing
inline constexpr auto kSweepEvery = 10min;
inline constexpr auto kScourEvery = 6h;  // off the disk: four tries before a day is over
inline constexpr auto kCleanNotedEvery = 1h;
inline constexpr size_t kRecordTermsMax = 32;   // of one bundle: a sweep walks once for each
inline constexpr size_t kSweepRecordsMax = 64;  // of one sweep: one for each rule and kind
inline constexpr size_t kTimersPerTickMax = 256;
inline constexpr auto kTickIntervalMin = 100ms;    // at most 10 a second
inline constexpr size_t kBatchCommandsMax = 1024;  // of one group commit
inline constexpr size_t kBatchWriteBytesMax = 32 * 1024 * 1024;
inline constexpr size_t kQueueCommandsMax = 8192;         // lane 3
inline constexpr size_t kUrgentQueueCommandsMax = 16384;  // lane 1 has reserved room
inline constexpr uint32_t kDeniedRecordsPerMinute = 10;   // per organisation and reason
inline constexpr size_t kRecordsPerCommandMax =
    8192;  // 256 leases given back about 16 subjects each, and withheld

// ---- Storage ----
inline constexpr uint64_t kReserveBytesDefault = 1ull << 30;  // below: only lane 1
inline constexpr uint64_t kReserveFileBytes = 256ull << 20;   // given up near zero

// ---- Time ----
inline constexpr auto kClockBackAtStart = 60s;
inline constexpr auto kClockAheadAtStart = 7 * 24h;
inline constexpr auto kClockDrift = 60s;  // wall against steady while running
inline constexpr auto kHeadInterval = 1s;

// ---- Network ----
inline constexpr size_t kMessageBytesMax = kBatchBytesMax + 64 * 1024;
inline constexpr size_t kMetadataBytesMax = 8 * 1024;
inline constexpr size_t kStreamsPerOrganisationMax = 64;
inline constexpr size_t kRequestsPerSecondPerOrganisation = 5000;
inline constexpr auto kCrlLookEvery = 200ms;          // whether a revocation list was replaced
inline constexpr auto kRevocationCheckInterval = 1s;  // an open stream closes within 5 s
inline constexpr size_t kStreamsPerConnectionMax =
    256;  // HTTP/2; four times an organisation's streams
inline constexpr size_t kServerMemoryBytesMax = 512ull
                                                << 20;  // what gRPC may hold for all connections
inline constexpr auto kHandshakeTimeout = 10s;          // a port scanner holds nothing for longer
inline constexpr auto kConnectionIdleMax = 30min;       // without calls; clients connect anew
inline constexpr auto kKeepaliveInterval = 60s;         // finds dead peers behind a NAT
inline constexpr auto kKeepaliveTimeout = 20s;
inline constexpr auto kPingIntervalMin = 20s;        // more pings than that close a connection
inline constexpr size_t kIdentityCacheMax = 1024;    // parsed client certificates
inline constexpr size_t kHealthWatchersMax = 256;    // load balancers and probes, not members
inline constexpr size_t kServiceNameBytesMax = 200;  // each watcher keeps the one that it asked for
inline constexpr size_t kReflectionStreamsMax = 16;  // people with a tool
inline constexpr size_t kReflectionRequestsMax = 1000;  // of one stream; a tool asks some dozens
inline constexpr size_t kErrorMessageBytesMax = 1000;   // trailers must fit in a client's 8 KiB
inline constexpr size_t kErrorFieldBytesMax = 200;

// ---- Queries ----
inline constexpr uint32_t kPageSizeDefault = 100;
inline constexpr uint32_t kPageSizeMax = 1000;
inline constexpr size_t kPageTokenBytesMax = 512;
inline constexpr size_t kScanPerQueryMax = 100'000;            // records looked at for one page
inline constexpr size_t kQueryPageBytesMax = 2 * 1024 * 1024;  // a page fits in a message with room
inline constexpr size_t kExportPieceBytesMax = 1024 * 1024;    // frames of one message of an export

// ---- Log ----
inline constexpr size_t kNoteBytesMax = 256 * 1024;  // 16 post-quantum signatures take 110 KiB
inline constexpr size_t kNoteSignaturesMax = 100;    // what golang.org/x/mod takes; 16 are a must
inline constexpr size_t kProofBundleBytesMax = 512 * 1024;  // a note, 65 hashes, some extra data
inline constexpr size_t kExportFrameBytesMax =
    1024 * 1024;  // a record and its detail are far below

// ---- Custodian ----
inline constexpr size_t kEvaluateBatchMax = 256;
inline constexpr uint32_t kBudgetPerDayDefault = 500;
inline constexpr uint32_t kBudgetPer30DaysDefault = 5000;
inline constexpr size_t kCustodiansMax = 16;
inline constexpr uint32_t kBudgetCapPerDayDefault = 20'000;     // over all members of one custodian
inline constexpr size_t kCustodianMessageBytesMax = 64 * 1024;  // 256 elements take 9 KiB
inline constexpr size_t kCustodianQueueMax = 256;               // evaluations that wait for a core
inline constexpr size_t kCustodianNotesPerWriteMax = 256;       // readings of the members file
inline constexpr uint64_t kCustodianReserveBytes = 256ull << 20;  // below: nothing is evaluated
inline constexpr size_t kCustodianQueuePerOrganisationMax =
    32;  // one member leaves room for others

}  // namespace schakel::limits
