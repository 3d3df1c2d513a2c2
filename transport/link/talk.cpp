#include "transport/link/talk.hpp"

namespace satchel::link {

Answer Talk::begin(const SiteId& peer, std::size_t room) {
    const EngineTurn::Held held = turn_.take();
    Result<std::unique_ptr<Conversation>> begun = host_.begin(peer, now());
    if (!begun.has_value()) return answer(std::move(begun).error(), 0);
    conversation_ = std::move(*begun);
    return answer({}, room);
}

Answer Talk::on_message(ByteView message, bool replayable, std::size_t room) {
    const EngineTurn::Held held = turn_.take();
    if (!conversation_) return {};
    return answer(conversation_->on_message(message, replayable, now()), room);
}

Answer Talk::on_tick(std::size_t room) {
    const EngineTurn::Held held = turn_.take();
    if (!conversation_) return {};
    return answer(conversation_->on_tick(now()), room);
}

Answer Talk::fetch(std::size_t room) {
    const EngineTurn::Held held = turn_.take();
    if (!conversation_) return {};
    return answer({}, room);
}

Answer Talk::answer(Result<void> done, std::size_t room) {
    Answer answer;
    std::size_t fetched = 0;
    while (done.has_value() && fetched < room) {
        ByteBuffer message;
        const Result<bool> more = conversation_->next_message(message, now());
        if (!more.has_value()) {
            done = more.error();
            break;
        }
        answer.quiet = !*more;
        if (answer.quiet) break;
        fetched += message.size();
        answer.messages.push_back(std::move(message));
    }
    if (!done.has_value()) answer.error = std::move(done).error();
    if (!conversation_) return answer;
    answer.done = conversation_->is_done();
    answer.deadline = conversation_->next_deadline();
    answer.counts = conversation_->counts();
    return answer;
}

Talk::End Talk::end(const std::optional<Proved>& proved) {
    const EngineTurn::Held held = turn_.take();
    End end;
    if (conversation_) {
        conversation_->on_cut();
        end.conversation = conversation_->report();
        conversation_.reset();
    }
    // Neither is worth more than the link that is over: the next one finds the book as it is.
    if (proved) static_cast<void>(host_.remember(proved->address, proved->key).has_value());
    static_cast<void>(host_.refresh().has_value());
    end.stamp = host_.change_stamp();
    return end;
}

}  // namespace satchel::link
