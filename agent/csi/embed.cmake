# cmake -DINPUT=file -DOUTPUT=file.cpp -P embed.cmake: the bytes of a file as the constants of descriptors.h.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"csi_call/descriptors.h\"

namespace mooring::csi_call {

const unsigned char descriptor_set[] = {
${bytes}};
const std::size_t descriptor_set_size = sizeof descriptor_set;

}  // namespace mooring::csi_call
")
