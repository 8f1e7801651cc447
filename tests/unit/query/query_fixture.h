// What the tests of the queries share: a machine with some history, auditors' looks, a signed head.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/merkle/checkpoint.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "tests/support/machine_fixture.h"

namespace schakel::query {

namespace sample = schakel::testing::sample;
using schakel::testing::Linked;
using schakel::testing::MachineFixture;

class QueryTest : public ::testing::Test {
 protected:
  const store::StateReader& state() { return f.state(); }

  // What the machine grants an auditor, after it recorded the look.
  machine::QueryGrant Look(const OrganisationId& auditor) {
    machine::RecordQuery query;
    query.rpc = "QueryRecords";
    auto outcome = f.DoAs(auditor, std::move(query));
    SCHAKEL_CHECK(!outcome.refused, "an auditor may look");
    return std::get<machine::QueryGrant>(std::move(outcome.answer));
  }

  // The signature of the log. Tests only: anyone can compute the key.
  static const crypto::SigningKey& LogKey() {
    static const crypto::SigningKey key =
        *crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(Bytes(32, 'k')));
    return key;
  }
  static merkle::VerifierKey Vkey() {
    return *merkle::VerifierKey::Create("zhz.example/schakel/1", LogKey().public_key());
  }

  // Signs the tree as it is and keeps the checkpoint where the broker does.
  merkle::TreeHead SignHead() {
    merkle::Checkpoint checkpoint{"zhz.example/schakel/1", f.machine().TreeHead()};
    auto note = merkle::SignCheckpoint(checkpoint, LogKey());
    SCHAKEL_CHECK(note.ok(), "a head can be signed");
    store::Batch batch;
    batch.Put(store::Family::kLocal, machine::keys::Checkpoint(), *note);
    SCHAKEL_CHECK(f.state().CommitLocal(batch).ok(), "a head can be kept");
    return checkpoint.head;
  }

  // A tenant in arrears without citizen service number, whom debt relief then links to `subject`.
  void Arrears(const v1::SubjectRef& subject) {
    auto accepted = f.Accept(f.Arrears());
    auto leased = f.Pull(sample::kDebtRelief);
    SCHAKEL_CHECK(leased.items.size() == 1, "the arrears are delivered");
    v1::SectionMeta meta;
    SCHAKEL_CHECK(meta.ParseFromString(leased.items[0].delivery.signal().sections(0).meta()),
                  "a delivered section has its meta");
    machine::AttachSubject attach;
    attach.request.set_request_id(f.random().Take(16));
    attach.request.set_signal_id(accepted.signal_id());
    attach.request.set_sender(sample::kCorporation.str());
    attach.request.set_subject_label(meta.subject_labels(0));
    *attach.request.mutable_subject() = subject;
    SCHAKEL_CHECK(!f.DoAs(sample::kDebtRelief, std::move(attach)).refused, "it is attached");
    SCHAKEL_CHECK(!f.Acknowledge(sample::kDebtRelief, leased.items[0].delivery_id).refused,
                  "it is acknowledged");
    machine::ReportOutcome report{f.random().Make<RequestId>(), leased.items[0].delivery_id,
                                  "help-offered"};
    SCHAKEL_CHECK(!f.DoAs(sample::kDebtRelief, std::move(report)).refused, "its outcome is told");
  }

  // Something of everything about `subject`: sent by statute and by consent, denied, delivered,
  // attached, withdrawn, consulted, refused by the broker.
  void PlayStory(const v1::SubjectRef& subject) {
    Arrears(subject);
    f.Advance(std::chrono::minutes(1));
    f.Accept(f.Avoidance(subject));  // denied: nobody consented yet
    auto consent = f.Record({.recorder = sample::kCare, .subject = subject});
    f.Accept(f.Avoidance(subject));
    f.Advance(std::chrono::minutes(1));
    auto read = f.Pull(sample::kTeam);
    SCHAKEL_CHECK(read.items.size() == 1, "what is consented to is delivered");
    f.Accept(f.Avoidance(subject));
    f.Withdraw(sample::kCare, consent);
    f.Accept(f.Avoidance(subject));
    auto household = f.Violence(subject);
    household.recipients.push_back(sample::kTeam);
    household.subjects.push_back(Linked("partner"));
    household.sections = {{"safety", "wmo-veilig-thuis", {0, 1}},
                          {"social", "wmo-veilig-thuis", {0}},
                          {"identity", "wmo-veilig-thuis", {0}},
                          {"identity", "wmo-veilig-thuis", {1}}};
    f.Accept(household);
    f.Advance(std::chrono::minutes(1));
    f.Pull(sample::kCentre);
    f.Pull(sample::kTeam);
    machine::ListStatements list;
    list.subject = subject;
    f.DoAs(sample::kAccess, std::move(list));
    f.Do(machine::DeniedAttempt{sample::kPolice.str(), "ROLE_NOT_ALLOWED", "QueryRecords"});
  }

  MachineFixture f;
  PageTokens tokens = PageTokens::Fresh();
  Bundles bundles;
};

}  // namespace schakel::query
