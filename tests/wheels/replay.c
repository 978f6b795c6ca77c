/* Calls functions of a library of kernels as a file says, and compares what they write.

   replay LIBRARY CASES

   CASES holds int64: how many bytes of data follow the calls, how many calls; for each call 64 bytes of name, how many
   arguments, for each whether it is an address in the data, and its value; then where in the data its result lies, where
   the wanted one, how many bytes (0: nothing to compare), and whether as float32, which may differ by 1e-4. Then the data.
   Prints how many calls it made and how many results differed, and what the processor says of dot products. */

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

typedef int64_t (*Function)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                            int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);

static int differs(const char *found, const char *wanted, int64_t size, int64_t floats) {
    if (!floats) return memcmp(found, wanted, size) != 0;
    for (int64_t i = 0; i < size / 4; i++) {
        float apart = ((const float *)found)[i] - ((const float *)wanted)[i];
        if (!(apart <= 1e-4f && apart >= -1e-4f)) return 1;
    }
    return 0;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    void *library = dlopen(words[1], RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
    FILE *file = fopen(words[2], "rb");
    if (!file) return perror(words[2]), 2;
    fseek(file, 0, SEEK_END);
    int64_t size = ftell(file);
    rewind(file);
    char *cases = malloc(size);
    if (fread(cases, 1, size, file) != (size_t)size) return perror(words[2]), 2;
    int64_t *at = (int64_t *)cases, data_bytes = *at++, calls = *at++, differing = 0;
    char *data = aligned_alloc(64, data_bytes);
    memcpy(data, cases + size - data_bytes, data_bytes);
    for (int64_t call = 0; call < calls; call++) {
        const char *name = (const char *)at;
        at += 8;
        Function function = (Function)dlsym(library, name);
        if (!function) return fprintf(stderr, "%s\n", dlerror()), 2;
        int64_t a[18] = {0}, arguments = *at++;
        for (int64_t i = 0; i < arguments; i++, at += 2) a[i] = at[0] ? (int64_t)(data + at[1]) : at[1];
        function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15],
                 a[16], a[17]);
        if (at[2] && differs(data + at[0], data + at[1], at[2], at[3])) {
            fprintf(stderr, "call %ld of %s differs\n", (long)call, name);
            differing++;
        }
        at += 4;
    }
    int dot = -1;
#if defined(__aarch64__)
    dot = getauxval(AT_HWCAP) >> 20 & 1;
#endif
    printf("%ld calls, %ld differ, dot products %d\n", (long)calls, (long)differing, dot);
    return differing != 0;
}
