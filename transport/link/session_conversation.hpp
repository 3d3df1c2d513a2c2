// The exchange session as what a link carries.
#pragma once

#include <memory>

#include "engine/exchange/session.hpp"
#include "transport/link/conversation.hpp"

namespace satchel::link {

class SessionConversation : public Conversation {
  public:
    SessionConversation(std::unique_ptr<exchange::Session> session, env::Instant begun)
        : session_(std::move(session)), begun_(begun) {}
    Result<void> on_message(ByteView message, bool replayable, env::Instant now) override {
        return session_->on_message(message, replayable, now);
    }
    Result<void> on_tick(env::Instant now) override { return session_->on_tick(now); }
    Result<bool> next_message(ByteBuffer& out, env::Instant now) override {
        return session_->next_message(out, now);
    }
    [[nodiscard]] std::optional<env::Instant> next_deadline() const override {
        return session_->next_deadline();
    }
    [[nodiscard]] bool is_done() const override { return session_->is_done(); }
    void on_cut() override { session_->on_cut(); }
    [[nodiscard]] Counts counts() const override {
        return {session_->report().chunks_taken, session_->report().chunks_given};
    }
    [[nodiscard]] ConversationReport report() const override;

  private:
    std::unique_ptr<exchange::Session> session_;
    const env::Instant begun_;
};

}  // namespace satchel::link
