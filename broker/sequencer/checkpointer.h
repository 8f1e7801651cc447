// Signs the heads of the sequencer's log: broker/audit/checkpointer.h.
#pragma once

#include <optional>
#include <utility>

#include "broker/audit/checkpointer.h"
#include "broker/sequencer/sequencer.h"

namespace schakel::sequencer {

class Checkpointer : public audit::Checkpointer {
 public:
  // REQUIRES: `head` is what the head store holds and the log holds it too. All must outlive this.
  Checkpointer(Sequencer* sequencer, store::HeadStore* heads, const crypto::SigningKey* log_key,
               std::optional<store::Head> head)
      : audit::Checkpointer(
            {[sequencer] { return sequencer->durable_head(); },
             [sequencer](const store::Batch& batch) { return sequencer->CommitLocal(batch); }},
            heads, log_key, std::move(head)) {}
};

}  // namespace schakel::sequencer
