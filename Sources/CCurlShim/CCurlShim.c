#define _GNU_SOURCE
#include "CCurlShim.h"

#include <pthread.h>
#include <signal.h>

CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

CURLcode ccurl_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_offset(CURL *h, CURLoption o, curl_off_t v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_list(CURL *h, CURLoption o, struct curl_slist *v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_write(CURL *h, CURLoption o, ccurl_write_function v) { return curl_easy_setopt(h, o, v); }
CURLcode ccurl_set_read(CURL *h, ccurl_read_function v) { return curl_easy_setopt(h, CURLOPT_READFUNCTION, v); }
CURLcode ccurl_set_seek(CURL *h, ccurl_seek_function v) { return curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, v); }
CURLcode ccurl_set_prerequest(CURL *h, ccurl_prerequest_function v) {
    return curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, v);
}
CURLcode ccurl_set_progress(CURL *h, ccurl_progress_function v) {
    return curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, v);
}

CURLcode ccurl_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }

CURLMcode ccurl_multi_set_long(CURLM *h, CURLMoption o, long v) { return curl_multi_setopt(h, o, v); }

CURLcode ccurl_message_result(const CURLMsg *m) { return m->data.result; }

void ccurl_prepare_thread(const char *name) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), name);
}
