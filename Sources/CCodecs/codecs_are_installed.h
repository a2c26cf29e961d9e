#ifndef WEIR_CODECS_ARE_INSTALLED_H
#define WEIR_CODECS_ARE_INSTALLED_H
/* Only CCompression includes the libraries' headers; this module exists so that SwiftPM names the missing apt packages. */
#endif
