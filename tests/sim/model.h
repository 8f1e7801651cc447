// A small model of what the machine should do: who may get what under the few rules that it knows,
// what is queued for whom in which order, which statements are in force. Plain containers, written
// from the rules in words and without any of the machine's code, so that an error in one is not an
// error in both.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace schakel::sim {

using Text = std::string;  // ids, OINs and pseudonyms as they stand in messages

struct ModelAxis {
  enum Level { kAny, kSector, kFunction, kOrganisation } level = kAny;
  Text value;  // sector, `function` or `function@area`, OIN
};

struct ModelStatement {
  Text id;
  Text recorder;
  Text subject;
  bool objection = false;
  ModelAxis sender;
  ModelAxis recipient;
  Text case_id;
  Text category;
  Text purpose;
  uint64_t from_ms = 0;
  uint64_t until_ms = 0;
  std::vector<Text> kept;
  bool withdrawn = false;
  // What was read on its strength, in order of delivery.
  std::map<uint64_t, struct ModelItem*> readers;
  std::set<std::pair<Text, Text>> noticed;
};

struct ModelSection {
  Text category;
  Text ground;
  std::vector<size_t> subjects;
  bool objection_weighed = false;
};

struct ModelSignal {
  Text sender;
  Text id;
  Text digest;
  Text type;
  Text purpose;
  Text case_id;
  bool acute = false;
  uint64_t expires_ms = 0;
  std::vector<Text> subjects;  // empty text: unlinked
  std::vector<ModelSection> sections;
  std::vector<Text> recipients;
  std::vector<std::vector<size_t>> permitted;  // at publish, by recipient
  uint64_t stalled_us = 0;                     // when its term ends, 0 when it ends before
  uint64_t reminded_us = 0;
  Text reminder_id;
};

enum class ItemEnd { kOpen, kAcknowledged, kRefused, kExpired, kWithheld, kDeadLetter };

struct ModelItem {
  Text recipient;
  std::pair<uint64_t, uint64_t> place;  // position, number: order of arrival
  ModelSignal* signal = nullptr;        // null: a notice
  Text notice_about;                    // its signal
  size_t slot = 0;
  bool acute = false;
  Text case_id;
  uint64_t expires_ms = 0;
  ItemEnd end = ItemEnd::kOpen;
  bool leased = false;
  bool pulled = false;
  uint64_t lease_until_us = 0;
  uint32_t attempts = 0;
  uint32_t expired_leases = 0;
  std::deque<Text> deliveries;                      // the last 16
  std::set<size_t> shown;                           // subjects
  std::vector<std::pair<Text, uint64_t>> reliance;  // statement, number in its readers
  std::vector<std::pair<Text, size_t>> reports;     // request, place among kOutcomes
  bool listed = false;                              // the chain director sees it
  uint64_t forget_us = 0;                           // of a notice: when its end is looked at
  bool forgotten = false;
};

// One thing that a delivery should hand over.
struct ModelHandOver {
  ModelItem* item = nullptr;
  std::vector<size_t> sections;
};

// Kinds of records, by the machine's numbers (record.proto), and how many there should be.
using RecordCounts = std::map<int, uint64_t>;

class Model {
 public:
  explicit Model(uint64_t position) : position_(position) {}

  // ---- What the world is told about ----
  void AddOrganisation(const Text& oin, const Text& sector, std::set<Text> functions,
                       bool bsn_authority);

  // Every command comes through here first: it takes a position, whatever becomes of it.
  void Begin(uint64_t time_us) {
    ++position_;
    now_us_ = time_us;
    numbers_ = 0;
  }

  // ---- Commands. Each returns the expected reason of refusal, empty when it is accepted. ----
  // Refuses a caller whose version is no longer current.
  Text Caller(const Text& oin, uint64_t version);
  Text Publish(const ModelSignal& signal, const Text& actor_oin);
  // By recipient, of a signal that stands: whether something was permitted at publish.
  std::vector<bool> FirstAnswer(const Text& sender, const Text& id) const;
  std::vector<ModelHandOver> Deliver(const Text& who, size_t max, uint64_t lease_us,
                                     const Text& fetch_id, bool* more);
  // The ids that the machine gave to what Deliver said.
  void NameDeliveries(const Text& who, const std::vector<ModelHandOver>& handed,
                      const std::vector<Text>& ids, const Text& fetch_id);
  Text Acknowledge(const Text& who, const Text& delivery) {
    return SettleBy(who, delivery, ItemEnd::kAcknowledged);
  }
  Text Refuse(const Text& who, const Text& delivery) {
    return SettleBy(who, delivery, ItemEnd::kRefused);
  }
  Text Report(const Text& who, const Text& request, const Text& delivery, size_t code);
  Text Release(const Text& who, const Text& delivery);
  Text Extend(const Text& who, const Text& delivery, uint64_t lease_us);
  void Cancel(const Text& who, const Text& delivery);
  void ReleaseStream(const Text& who, const std::vector<Text>& deliveries);
  void ReleaseLeftovers();
  Text Record(const ModelStatement& statement);
  Text Withdraw(const Text& who, const Text& statement);
  bool Covered(const Text& sender, const Text& recipient, const Text& subject, const Text& category,
               const Text& purpose, const Text& case_id);
  void Consulted() { Count(17); }
  Text Disable(const Text& oin);
  Text Admit(const Text& oin, uint64_t expected_version);
  void Activate(bool strict);
  void Denied(const Text& organisation, const Text& reason);
  void Tick();
  // By the chain director, of a signal by its sender and id.
  Text Remind(const Text& director, const Text& request, const Text& sender, const Text& id);

  // ---- What should stand ----
  uint64_t position() const { return position_; }
  uint64_t now_us() const { return now_us_; }
  uint64_t version(const Text& oin) const { return organisations_.at(oin).version; }
  bool enabled(const Text& oin) const { return organisations_.at(oin).enabled; }
  const RecordCounts& records() const { return records_; }
  bool InForce(const Text& statement) const;
  // Signals of the items that may go now, in order; of a notice the signal that it is about.
  std::vector<Text> Ready(const Text& recipient, bool acute) const;
  // By signal and recipient: the states that its sender was told, by the numbers of signal.proto.
  using FeedKey = std::tuple<Text, Text, Text>;
  const std::map<FeedKey, std::vector<int>>& feed() const { return feed_; }
  const std::map<std::pair<Text, Text>, ModelSignal>& signals() const { return signals_; }
  bool HasContent(const Text& sender, const Text& id) const;
  const std::map<Text, ModelStatement>& statements() const { return statements_; }
  const std::deque<Text>& recent(const Text& who) { return recent_[who]; }
  // Signals that the chain director sees.
  std::set<std::pair<Text, Text>> Listed() const;
  // A fetch id of that recipient that was used, if any.
  Text AnyFetch(const Text& who) const;

 private:
  struct Organisation {
    Text sector;
    std::set<Text> functions;
    bool bsn_authority = false;
    bool enabled = true;
    uint64_t version = 1;
  };
  struct DeniedCount {
    uint64_t minute = 0;
    uint64_t recorded = 0;
    uint64_t suppressed = 0;
  };
  struct Fetch {
    uint64_t lease_until_us = 0;
    std::vector<std::pair<ModelItem*, Text>> items;
  };
  using Place = std::pair<uint64_t, uint64_t>;

  uint64_t now_ms() const { return now_us_ / 1000; }
  void Count(int kind, uint64_t times = 1) { records_[kind] += times; }
  Text RefusedAs(const Text& organisation, const Text& reason);

  bool RulePermits(const ModelSignal& s, const Text& recipient, const ModelSection& section) const;
  bool AxisMatches(const ModelAxis& axis, const Text& oin) const;
  bool AxisCovers(const ModelAxis& objection, const ModelAxis& consent) const;
  struct Standing {
    bool objection = false;
    std::vector<Text> consents;
  };
  Standing Look(const Text& sender, const Text& recipient, const Text& subject,
                const Text& category, const Text& purpose, const Text& case_id) const;
  bool SectionPermitted(const ModelSignal& s, const Text& recipient, const ModelSection& section,
                        std::set<Text>* relied_on) const;
  std::vector<size_t> Decide(const ModelSignal& s, size_t slot, const std::vector<size_t>& offered,
                             std::set<Text>* relied_on) const;
  std::vector<size_t> DecideAgain(const ModelItem& item, std::set<Text>* relied_on) const;

  ModelItem* FindDelivery(const Text& who, const Text& delivery);
  Text FindLeased(const Text& who, const Text& delivery, ModelItem** item);
  Text SettleBy(const Text& who, const Text& delivery, ItemEnd end);
  uint64_t RecordsOf(const ModelItem& item) const;
  void End(ModelItem* item, ItemEnd end);
  void Tell(const ModelItem& item, int state);
  void GiveBack(ModelItem* item);
  void ShowItem(ModelItem* item, const std::vector<size_t>& sections,
                const std::set<Text>& relied_on);
  void RecheckQueued(const Text& subject);
  void NotifyReaders(ModelStatement* statement, bool also_in_hand);
  void ListStalled();
  std::vector<ModelItem*> NoticesThatEnd();
  std::vector<ModelItem*> ListedOf(const Text& sender, const Text& id);
  std::vector<ModelItem*> ReadyItems(const Text& recipient, bool acute) const;

  uint64_t position_ = 0;
  uint64_t now_us_ = 0;
  uint64_t numbers_ = 0;
  uint64_t serial_ = 0;
  bool strict_ = false;
  std::map<Text, Organisation> organisations_;
  std::map<Text, ModelStatement> statements_;
  std::map<Text, std::vector<Text>> statements_about_;  // by subject
  std::map<std::pair<Text, Text>, ModelSignal> signals_;
  std::map<Text, std::map<Place, ModelItem>> items_;  // by recipient; all
  std::map<Text, std::map<Place, ModelItem*>> open_;  // by recipient; not settled
  std::map<Text, ModelItem*> deliveries_;
  std::map<std::pair<Text, Text>, Fetch> fetches_;
  std::set<std::pair<uint64_t, Text>> notices_due_;  // when, statement
  std::map<std::pair<Text, Text>, DeniedCount> denied_;
  std::map<FeedKey, std::vector<int>> feed_;
  std::map<Text, std::deque<Text>> recent_;
  RecordCounts records_;
};

}  // namespace schakel::sim
