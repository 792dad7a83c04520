#ifndef CCURLSHIM_H
#define CCURLSHIM_H

#include <curl/curl.h>
#include <stddef.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, so Swift cannot call them.
// Each door below fixes one argument type; the option decides which one it takes.

typedef size_t (*ccurl_write_function)(char *bytes, size_t size, size_t count, void *context);
typedef size_t (*ccurl_read_function)(char *buffer, size_t size, size_t count, void *context);
typedef int (*ccurl_seek_function)(void *context, curl_off_t offset, int origin);
typedef int (*ccurl_prerequest_function)(void *context, char *remote, char *local, int remote_port, int local_port);
typedef int (*ccurl_progress_function)(void *context, curl_off_t download_total, curl_off_t downloaded,
                                       curl_off_t upload_total, curl_off_t uploaded);

CURLcode ccurl_global_init(void);

CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_write(CURL *handle, CURLoption option, ccurl_write_function value);
CURLcode ccurl_set_read(CURL *handle, ccurl_read_function value);
CURLcode ccurl_set_seek(CURL *handle, ccurl_seek_function value);
CURLcode ccurl_set_prerequest(CURL *handle, ccurl_prerequest_function value);
CURLcode ccurl_set_progress(CURL *handle, ccurl_progress_function value);

CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value);

CURLMcode ccurl_multi_set_long(CURLM *handle, CURLMoption option, long value);

// The result of a finished transfer: a union member, which Swift imports poorly.
CURLcode ccurl_message_result(const CURLMsg *message);

// Blocks every signal in the calling thread and gives it a name of at most 15 bytes.
void ccurl_prepare_thread(const char *name);

#endif
