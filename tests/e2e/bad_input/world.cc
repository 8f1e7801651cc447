#include "tests/e2e/bad_input/world.h"

#include "broker/machine/envelope.h"

namespace schakel::e2e {

using namespace std::chrono_literals;

World::World(Region& region) : region_(region) {
  auto* keys = Must(As("police").keys());
  const auto chain = Must(As("police").certificate_chain());
  (void)Must(keys->Generate(chain, sdk::Now() - 30h, 36h));
  const auto key = Must(crypto::CertificateKey::Load(region.CertificateOf("police").key));
  (void)Must(keys->Sign(key));
  (void)Must(Must(As("police").org())->RegisterPending(*keys));
}

const sdk::Connection& World::ConnectionOf(const std::string& name) {
  return *Must(As(name).connection());
}

const sdk::Connection& World::ToCustodian(const std::string& name) {
  auto& connection = to_custodian_[name];
  if (!connection) {
    const auto& certificate = region_.CertificateOf(name);
    connection =
        Must(sdk::Connection::Open({.address = region_.ContextOf("police").custodians(0).address(),
                                    .server_name = {},
                                    .ca_file = region_.pki().ca(),
                                    .certificate_file = certificate.certificate,
                                    .key_file = certificate.key,
                                    .actor = "somebody",
                                    .actor_role = "professional",
                                    .timeout = 20s}));
  }
  return *connection;
}

sdk::OwnKeySet World::KeysOf(const std::string& name) {
  return Must(Must(As(name).keys())->Current(sdk::Now()));
}

v1::Envelope World::Report(const std::string& sender) {
  testing::EnvelopeSpec spec{
      .sender = region_.OinOf(sender),
      .signal_type = "domestic-violence-report",
      .purpose = "stop-domestic-violence",
      .recipients = {{region_.OinOf("centre"), "domestic-violence-centre", "dordrecht"}},
      .subjects = {testing::Linked("first"), testing::Linked("second")},
      .sections = {{.category = "safety", .ground = "wmo-veilig-thuis", .subjects = {0}},
                   {.category = "identity-bsn", .ground = "wmo-veilig-thuis", .subjects = {1}}},
      .case_id = random_.Make<CaseId>(),
      .signal_id = random_.Make<SignalId>()};
  v1::Envelope envelope = testing::BuildEnvelope(spec,
                                                 {.created = sdk::Now(),
                                                  .sender_key_set = KeysOf(sender).digest,
                                                  .recipient_key_sets = {KeysOf("centre").digest},
                                                  .actor = "user-of-" + sender},
                                                 &random_);
  v1::Header header;
  SCHAKEL_CHECK(header.ParseFromString(envelope.header()), "a header of our own parses");
  header.set_follows(random_.Take(16));
  header.set_checkpoint_size(7);
  header.set_checkpoint_root(random_.Take(32));
  envelope.set_header(header.SerializeAsString());
  Sign(&envelope, sender);
  return envelope;
}

void World::Sign(v1::Envelope* envelope, const std::string& sender) {
  testing::SetValues(envelope, &random_);
  const auto parsed = machine::ParseEnvelope(*envelope);
  if (!parsed.ok()) return;
  envelope->mutable_proof()->set_signature(KeysOf(sender).signing->Sign((*parsed)->batch_message));
}

World::Held World::NewDelivery() {
  auto& recipient = As("debt-relief");
  const auto empty = EmptyInbox(recipient);
  SCHAKEL_CHECK(empty.ok(), "an inbox can be emptied");
  const auto sent = Must(Send(As("corporation"), Arrears()));
  const auto deliveries = Must(FetchAll(recipient));
  SCHAKEL_CHECK(deliveries.size() == 1, "the signal waits");
  v1::SectionMeta meta;
  const auto& sections = deliveries[0].signal().sections();
  SCHAKEL_CHECK(!sections.empty() && meta.ParseFromString(sections[0].meta()), "with a section");
  return {deliveries[0].delivery_id(), sent.entry.signal_id(), meta.subject_labels(0)};
}

Bytes World::NewConsent(const std::string& who, size_t place) {
  const auto person = Must(PersonBy(region_, who, place));
  return Must(RecordConsent(As(who), person)).str();
}

}  // namespace schakel::e2e
