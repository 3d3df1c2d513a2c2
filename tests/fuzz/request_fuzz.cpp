// Requests to join: any text is refused or says, to the byte, what its signer signed.
#include <cstdlib>

#include "engine/trust/enrolment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const std::string_view text = text_of({data, size});
    const Result<trust::JoinRequest> request = trust::parse_request(text);
    if (!request.has_value()) return 0;
    std::array<std::uint8_t, 32> seed{};
    seed.fill(31);
    // The only key whose signatures the seeds hold. Another text of the same request differs in white space
    // alone.
    const std::string made = trust::make_request(*request, trust::SigningKey::from_seed(seed));
    if (trust::fingerprint_of_text(made) != trust::fingerprint_of_text(text)) std::abort();
    return 0;
}
