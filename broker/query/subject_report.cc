#include "broker/query/subject_report.h"

#include <algorithm>
#include <map>
#include <set>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/audit_fields.h"
#include "broker/query/index_source.h"
#include "broker/query/reading.h"
#include "policy/engine/retention.h"

namespace schakel::query {

namespace {

ListId ListOf(const OrganisationId& caller, const v1::SubjectReportRequest& request) {
  return {"SubjectReport", caller.str(), FilterOf(request)};
}

// Finds the records of a report, oldest first.
class Collector {
 public:
  Collector(const store::StateReader& state, const Scope& scope, uint64_t end)
      : state_(state), scope_(scope), end_(end) {}

  Status Collect(const v1::SubjectRef& subject) {
    std::vector<Bytes> prefixes;
    for (const auto& pair : subject.pairs()) {
      prefixes.push_back(machine::keys::SubjectIndexPrefix(pair));
    }
    // Signal and label of unlinked subjects that turned out to be this one.
    std::set<std::pair<Bytes, Bytes>> attached;
    SCHAKEL_TRY(ForEach(prefixes, [&](const v1::Record& record) {
      if (record.kind() == v1::RECORD_KIND_SUBJECT_ATTACHED) {
        attached.emplace(record.signal_id(), record.subject_label());
      }
      return true;
    }));
    for (const auto& [signal_id, label] : attached) {
      SCHAKEL_TRY(ForEach(
          {machine::keys::SignalIndexPrefix(signal_id)},
          [&label = label](const v1::Record& record) { return record.subject_label() == label; }));
    }
    return {};
  }

  const std::set<uint64_t>& found() const { return found_; }

 private:
  // Takes the records in scope of which `take` says so.
  template <typename Take>
  Status ForEach(const std::vector<Bytes>& prefixes, const Take& take) {
    IndexSource places = IndexSource::Of(state_, prefixes, 0, end_);
    for (;;) {
      SCHAKEL_ASSIGN(auto index, places.Next());
      if (!index) return {};
      if (++looked_ > limits::kScanPerQueryMax) {
        return MakeError(ErrorCode::kResourceExhausted, "TOO_LARGE",
                         "more records than one report can hold; query them in pages", "subject");
      }
      SCHAKEL_ASSIGN(auto stored, RecordAt(state_, *index));
      if (stored.destroyed_us() != 0) continue;
      v1::Record record;
      if (!record.ParseFromString(stored.record())) return Damaged("a stored value is no Record");
      if (scope_.Covers(record) && take(record)) found_.insert(*index);
    }
  }

  const store::StateReader& state_;
  const Scope& scope_;
  const uint64_t end_;
  size_t looked_ = 0;
  std::set<uint64_t> found_;
};

// Names and contacts, each read once for a page.
class Names {
 public:
  explicit Names(const store::StateReader& state) : state_(state) {}

  Status Fill(const std::string& oin, v1::SubjectReportEntry* out) {
    auto id = OrganisationId::From(oin);
    if (!id) return {};
    auto it = known_.find(oin);
    if (it == known_.end()) {
      SCHAKEL_ASSIGN(auto entry, machine::FindOrganisation(state_, *id));
      it = known_.emplace(oin, entry ? entry->organisation() : v1::Organisation()).first;
    }
    out->set_organisation_name(it->second.name());
    out->set_contact(it->second.contact());
    return {};
  }

 private:
  const store::StateReader& state_;
  std::map<std::string, v1::Organisation> known_;
};

// Who got a section about this subject.
void FillRecipients(const v1::Detail& detail, v1::SubjectReportEntry* out) {
  std::set<uint32_t> places;
  for (const auto& question : detail.questions()) {
    if (question.outcome() == v1::OUTCOME_PERMITTED) places.insert(question.recipient());
  }
  for (int i = 0; i < detail.recipients_size(); ++i) {
    if (detail.recipients(i).outcome() == v1::OUTCOME_PERMITTED &&
        places.count(static_cast<uint32_t>(i)) > 0) {
      out->add_recipients(detail.recipients(i).oin());
    }
  }
}

// Up to when the terms reach for everybody.
Status FillDestroyed(const store::StateReader& state, Bundles& bundles, v1::DestroyedBefore* out) {
  SCHAKEL_ASSIGN(const auto active, bundles.Active(state));
  SCHAKEL_ASSIGN(const auto meta, MetaOf(state));
  const auto shortest = policy::ShortestPersonTerm(*active.bundle);
  const auto keep_us = static_cast<uint64_t>(std::chrono::microseconds(shortest.keep).count());
  machine::SetTimestamp(meta.time_us() > keep_us ? meta.time_us() - keep_us : 0,
                        out->mutable_before());
  out->set_rule(shortest.rule);
  out->set_bundle_digest(active.digest.str());
  out->set_bundle(active.bundle->name() + " " + active.bundle->version());
  return {};
}

Result<v1::SubjectReportEntry> Line(const store::StateReader& state, uint64_t index, Names* names) {
  SCHAKEL_ASSIGN(auto stored, RecordAt(state, index));
  v1::Record record;
  v1::Detail detail;
  if (!record.ParseFromString(stored.record()) || !detail.ParseFromString(stored.detail())) {
    return Damaged("a stored value is no Record");
  }
  v1::SubjectReportEntry line;
  line.set_index(index);
  machine::SetTimestamp(record.time_us(), line.mutable_time());
  line.set_kind(record.kind());
  line.set_organisation(record.organisation());
  if (record.kind() == v1::RECORD_KIND_PUBLISH) FillRecipients(detail, &line);
  line.set_signal_type(record.signal_type());
  line.set_purpose(record.purpose());
  *line.mutable_sections() = record.sections();
  line.set_outcome(record.outcome());
  line.set_reason(record.reason());
  SCHAKEL_TRY(names->Fill(record.organisation(), &line));
  return line;
}

}  // namespace

Status CheckSubjectReport(const PageTokens& tokens, const OrganisationId& caller,
                          const v1::SubjectReportRequest& request) {
  SCHAKEL_TRY(CheckRequestId(request.request_id()));
  if (!request.has_subject()) {
    return InvalidArgument("FIELD_MISSING", "subject", "a subject is required");
  }
  SCHAKEL_TRY(CheckLinkedSubject(request.subject(), "subject"));
  SCHAKEL_TRY(CheckReason(request.ground(), true, "ground"));
  SCHAKEL_TRY(CheckReason(request.reference(), true, "reference"));
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  return Failure(tokens.Open(ListOf(caller, request), request.page_token()));
}

Result<v1::SubjectReportResponse> SubjectReport(const store::StateReader& state, Bundles& bundles,
                                                const PageTokens& tokens,
                                                const OrganisationId& caller,
                                                const machine::QueryGrant& grant,
                                                const v1::SubjectReportRequest& request) {
  SCHAKEL_TRY(CheckSubjectReport(tokens, caller, request));
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list = ListOf(caller, request);
  SCHAKEL_ASSIGN(auto place, PagePlace::At(tokens, list, request.page_token(), grant.tree_size));
  Scope scope = Scope::Of(grant);
  Collector collector(state, scope, place.tree_size);
  SCHAKEL_TRY(collector.Collect(request.subject()));

  v1::SubjectReportResponse response;
  *response.mutable_receipt() = grant.receipt;
  SCHAKEL_TRY(FillDestroyed(state, bundles, response.mutable_destroyed()));
  PageRoom room(size);
  Names names(state);
  const auto& found = collector.found();
  for (auto it = found.lower_bound(place.next); it != found.end(); ++it) {
    SCHAKEL_ASSIGN(auto line, Line(state, *it, &names));
    if (!room.Take(line.ByteSizeLong())) {
      PagePlace next{*it, place.tree_size};
      SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, next.Encode()));
      break;
    }
    *response.add_entries() = std::move(line);
  }
  return response;
}

}  // namespace schakel::query
