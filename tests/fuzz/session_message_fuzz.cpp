// Messages of a conversation: any bytes are decoded or refused; what is decoded says the same once encoded.
#include <cstdlib>

#include "engine/exchange/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const SiteId sender{};
    const Result<exchange::Message> message = exchange::decode_message({data, size}, sender);
    if (!message.has_value()) return 0;
    ByteBuffer again;
    exchange::encode_message(again, *message, sender);
    const Result<exchange::Message> same = exchange::decode_message(again, sender);
    if (!same.has_value() || !(*same == *message)) std::abort();
    return 0;
}
