#include "transport/channel/channel.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "engine/base/encoding.hpp"
#include "engine/trust/enrolment.hpp"
#include "transport/channel/errors.hpp"

namespace satchel::channel {

namespace {

ByteBuffer prologue_of(const NetworkId& network, Roles roles) {
    ByteBuffer prologue;
    Writer(prologue).raw("satchel/1").raw(network.view()).u8(roles.dialler).u8(roles.answerer);
    return prologue;
}

const Pattern& pattern_of(Contact contact) {
    return contact == Contact::kKnown ? noise_ik() : noise_xxpsk3();
}

// Every handshake message has one size, but the first of a known dialler, which carries its early message.
FrameReader::Sizes handshake_sizes(Contact contact, std::size_t message) {
    if (contact == Contact::kKnown)
        return message == 0 ? FrameReader::Sizes{kIkFirstSize, kIkFirstSize + kEarlyMessageMax}
                            : FrameReader::Sizes{kIkSecondSize, kIkSecondSize};
    const std::size_t size = kXxSizes.at(message);
    return {size, size};
}

}  // namespace

std::uint8_t role_byte(trust::SiteRole role) {
    switch (role) {
        case trust::SiteRole::kHub:
            return 1;
        case trust::SiteRole::kVillage:
            return 2;
        case trust::SiteRole::kCarrier:
            return 3;
        case trust::SiteRole::kHousehold:
            return 4;
    }
    return 0;
}

Channel::Channel(Setup setup, Side side, env::Instant now)
    : setup_(std::move(setup)), side_(side), deadline_{now.unix_ms + kHandshakeLifeMs} {
    SATCHEL_CHECK(setup_.limits.message_bytes <= kMessageMax &&
                  setup_.limits.frames_per_key <= kFramesPerKeyMax);
    SATCHEL_CHECK(setup_.limits.frames_per_key >= 2);  // a frame, and the one that changes the key
}

Result<std::unique_ptr<Channel>> Channel::dial_known(Setup setup, Roles roles,
                                                     const trust::SealingPublicKey& peer, ByteView early,
                                                     env::Instant now) {
    if (early.size() > kEarlyMessageMax) return message_too_large();
    SATCHEL_TRY(const SiteId site, setup.identify(Claim{Contact::kKnown, peer, roles}));
    std::unique_ptr<Channel> channel(new Channel(std::move(setup), Side::kInitiator, now));
    channel->peer_ = Peer{site, peer};
    channel->begin_handshake(Contact::kKnown, roles, peer);
    SATCHEL_TRY_VOID(channel->write_handshake(early));
    channel->expect_next();
    return channel;
}

Result<std::unique_ptr<Channel>> Channel::dial_first(Setup setup, Roles roles, env::Instant now) {
    if (setup.network_secret == nullptr) return no_network_secret();
    std::unique_ptr<Channel> channel(new Channel(std::move(setup), Side::kInitiator, now));
    channel->begin_handshake(Contact::kFirst, roles, std::nullopt);
    SATCHEL_TRY_VOID(channel->write_handshake({}));
    channel->expect_next();
    return channel;
}

std::unique_ptr<Channel> Channel::answer(Setup setup, env::Instant now) {
    std::unique_ptr<Channel> channel(new Channel(std::move(setup), Side::kResponder, now));
    channel->reader_.expect_fixed(kPreambleSize);
    return channel;
}

void Channel::begin_handshake(Contact contact, Roles roles, std::optional<trust::SealingPublicKey> peer) {
    contact_ = contact;
    roles_ = roles;
    if (side_ == Side::kInitiator)
        Writer(out_)
            .raw(kMagic)
            .u8(kVersion)
            .u8(static_cast<std::uint8_t>(contact))
            .u8(roles.dialler)
            .u8(roles.answerer);
    const HandshakeKeys keys = {.own = &setup_.key, .remote = peer, .psk = setup_.network_secret};
    handshake_.emplace(pattern_of(contact), side_, prologue_of(setup_.network, roles), keys, setup_.random);
}

void Channel::expect_next() {
    if (handshake_)
        reader_.expect_frame(handshake_sizes(contact_, handshake_messages_));
    else
        reader_.expect_frame({1 + kTagSize, kNoiseMessageMax});
}

Result<std::size_t> Channel::feed(ByteView bytes, env::Instant now) {
    if (failure_) return *failure_;
    std::size_t used = 0;
    while (used < bytes.size() && !incoming_) {
        if (peer_done_) return end_with(link_altered("bytes behind the last word"));
        Result<std::size_t> taken = reader_.take(bytes.subspan(used));
        if (!taken) return end_with(std::move(taken).error());
        used += *taken;
        if (!reader_.is_whole()) break;
        if (Result<void> done = on_piece(reader_.piece(), now); !done)
            return end_with(std::move(done).error());
        expect_next();
    }
    return used;
}

Result<void> Channel::on_piece(ByteView piece, env::Instant now) {
    if (state_ == State::kHandshake) return handshake_ ? on_handshake(piece, now) : on_preamble(piece);
    return on_frame(piece);
}

Result<void> Channel::on_preamble(ByteView preamble) {
    Reader reader(preamble);
    if (!equal(reader.raw(kMagic.size()), bytes_of(kMagic))) return no_link();
    const std::uint8_t version = reader.u8();
    const std::uint8_t contact = reader.u8();
    Roles roles;
    roles.dialler = reader.u8();
    roles.answerer = reader.u8();
    if (version != kVersion) return newer_version("version " + std::to_string(version));
    if (contact == static_cast<std::uint8_t>(Contact::kFirst)) {
        if (setup_.network_secret == nullptr) return no_network_secret();
    } else if (contact != static_cast<std::uint8_t>(Contact::kKnown)) {
        return newer_version("contact " + std::to_string(contact));
    }
    begin_handshake(static_cast<Contact>(contact), roles, std::nullopt);
    return {};
}

Result<void> Channel::write_handshake(ByteView payload) {
    ByteBuffer message;
    SATCHEL_TRY_VOID(handshake_->write(payload, message));
    Writer(out_).u16(static_cast<std::uint16_t>(message.size())).raw(message);
    ++handshake_messages_;
    return {};
}

Result<void> Channel::on_handshake(ByteView message, env::Instant now) {
    SATCHEL_TRY(ByteBuffer payload, handshake_->read(message));
    ++handshake_messages_;
    const bool dials = side_ == Side::kInitiator;
    // At a first contact the dialling end looks at the other's key before it shows its own.
    if (dials && !peer_) SATCHEL_TRY_VOID(identify(handshake_->remote_static().value()));
    if (handshake_->my_turn()) SATCHEL_TRY_VOID(write_handshake({}));
    if (!handshake_->is_finished()) return {};
    const trust::SealingPublicKey key = handshake_->remote_static().value();
    open(now);
    if (!dials) SATCHEL_TRY_VOID(identify(key));
    if (!payload.empty()) incoming_ = Incoming{std::move(payload), true};
    return {};
}

Result<void> Channel::identify(const trust::SealingPublicKey& key) {
    Result<SiteId> site = setup_.identify(Claim{contact_, key, roles_});
    if (!site) return state_ == State::kOpen ? refuse(std::move(site).error()) : std::move(site).error();
    peer_ = Peer{*site, key};
    return {};
}

// Only the answering end does: its handshake is complete, so that the other end can trust what it is told.
Error Channel::refuse(Error error) {
    const Refusal why = error.code == ErrorCode::kNotFound  ? Refusal::kUnknown
                        : error.code == ErrorCode::kRefused ? Refusal::kRevoked
                                                            : Refusal::kNotNow;
    const std::uint8_t code = static_cast<std::uint8_t>(why);
    seal_frame(FrameKind::kRefusal, ByteView(&code, 1));
    return error;
}

void Channel::open(env::Instant now) {
    session_ = handshake_->hash();
    Directions directions = handshake_->split();
    sealer_.emplace(std::move(directions.sealer));
    opener_.emplace(std::move(directions.opener));
    handshake_.reset();
    key_since_ = now;
    // A known dialler has spoken once, perhaps long ago: only its first frame answers to ours.
    peer_live_ = side_ == Side::kInitiator || contact_ == Contact::kFirst;
    state_ = State::kOpen;
}

Result<void> Channel::on_frame(ByteView sealed) {
    if (frames_in_ == setup_.limits.frames_per_key) return link_altered("key used too long");
    ++frames_in_;
    ByteBuffer plain;
    if (!opener_->open(sealed, plain)) return link_altered("frame does not open");
    peer_live_ = true;
    const std::uint8_t kind = plain.front();
    const ByteView data = ByteView(plain).subspan(1);
    if (kind >= kFrameKinds) return newer_version("frame kind " + std::to_string(kind));
    switch (static_cast<FrameKind>(kind)) {
        case FrameKind::kLast:
            return on_data(data, true);
        case FrameKind::kMore:
            return on_data(data, false);
        case FrameKind::kRekey:
            if (!data.empty()) return link_altered("key change with data");
            opener_->rekey();
            frames_in_ = 0;
            return {};
        case FrameKind::kEnd:
            return data.empty() ? on_end() : link_altered("last word with data");
        case FrameKind::kRefusal:
            return refused_by_peer(data);
    }
    return {};
}

Result<void> Channel::on_data(ByteView data, bool is_last) {
    if (!is_last && data.empty()) return link_altered("empty piece");  // would cost work for ever
    const std::size_t size = joining_.size() + data.size();
    if (size > setup_.limits.message_bytes) return peer_sends_too_much();
    if (size > joining_.capacity())
        joining_.reserve(std::min(setup_.limits.message_bytes, std::max(size, 2 * joining_.capacity())));
    append(joining_, data);
    if (is_last) incoming_ = Incoming{std::exchange(joining_, {}), false};
    return {};
}

Result<void> Channel::on_end() {
    if (!joining_.empty()) return link_altered("last word inside a message");
    peer_done_ = true;
    opener_.reset();
    if (done_) state_ = State::kClosed;
    return {};
}

Error Channel::refused_by_peer(ByteView reason) const {
    if (side_ == Side::kResponder || reason.size() != 1) return link_altered("misplaced refusal");
    if (reason[0] == static_cast<std::uint8_t>(Refusal::kUnknown)) return unknown_there();
    if (reason[0] == static_cast<std::uint8_t>(Refusal::kRevoked)) return revoked_there();
    return not_now_there();
}

std::optional<Incoming> Channel::take() { return std::exchange(incoming_, std::nullopt); }

Result<void> Channel::end_of_stream() {
    if (failure_) return *failure_;
    if (peer_done_) return {};
    return end_with(link_cut());
}

void Channel::on_sent(std::size_t count) {
    SATCHEL_CHECK(count <= out_.size() - out_at_);
    out_at_ += count;
    if (out_at_ < out_.size()) return;
    out_at_ = 0;
    if (out_.capacity() > 2 * kOutputMax)
        ByteBuffer().swap(out_);
    else
        out_.clear();
}

bool Channel::can_send() const { return (state_ == State::kOpen) && !done_ && to_send().size() < kOutputMax; }

Result<void> Channel::send(ByteView message, env::Instant now) {
    if (failure_) return *failure_;
    if (message.size() > setup_.limits.message_bytes) return message_too_large();
    SATCHEL_CHECK(can_send());
    while (message.size() > kPieceMax) {
        send_frame(FrameKind::kMore, message.first(kPieceMax), now);
        message = message.subspan(kPieceMax);
    }
    send_frame(FrameKind::kLast, message, now);
    return {};
}

Result<void> Channel::close(env::Instant now) {
    if (failure_) return *failure_;
    SATCHEL_CHECK(state_ != State::kHandshake);
    if (done_) return {};
    send_frame(FrameKind::kEnd, {}, now);
    done_ = true;
    sealer_.reset();
    if (peer_done_) state_ = State::kClosed;
    return {};
}

void Channel::send_frame(FrameKind kind, ByteView data, env::Instant now) {
    const bool is_old = now.unix_ms - key_since_.unix_ms >= kKeyLifeMs;
    if (is_old || frames_out_ + 1 == setup_.limits.frames_per_key) {
        seal_frame(FrameKind::kRekey, {});
        sealer_->rekey();
        frames_out_ = 0;
        key_since_ = now;
    }
    seal_frame(kind, data);
}

void Channel::seal_frame(FrameKind kind, ByteView data) {
    ByteBuffer plain;
    plain.reserve(1 + data.size());
    Writer(plain).u8(static_cast<std::uint8_t>(kind)).raw(data);
    Writer(out_).u16(static_cast<std::uint16_t>(plain.size() + kTagSize));
    sealer_->seal(plain, out_);
    ++frames_out_;
}

Result<void> Channel::on_tick(env::Instant now) {
    if (failure_) return *failure_;
    if (state_ == State::kHandshake && now >= deadline_) return end_with(handshake_too_slow());
    return {};
}

std::optional<env::Instant> Channel::next_deadline() const {
    if (state_ != State::kHandshake) return std::nullopt;
    return deadline_;
}

std::optional<Digest> Channel::digest_key(std::string_view purpose) const {
    if (!session_) return std::nullopt;
    Digest key;
    crypto_generichash(key.data(), key.size(), bytes_of(purpose).data(), purpose.size(), session_->data(),
                       session_->size());
    return key;
}

std::size_t Channel::held_bytes() const {
    const std::size_t waiting = incoming_ ? incoming_->bytes.capacity() : 0;
    return reader_.held_bytes() + joining_.capacity() + waiting + out_.capacity();
}

Error Channel::end_with(Error error) {
    state_ = State::kFailed;
    failure_ = error;
    handshake_.reset();
    sealer_.reset();
    opener_.reset();
    reader_.drop();
    ByteBuffer().swap(joining_);
    return error;
}

}  // namespace satchel::channel
