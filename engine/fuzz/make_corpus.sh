#!/bin/sh
# Makes the seeds of the fuzz targets, a few KB each: make_corpus.sh DIRECTORY
# Committed in corpus/; files there that this does not make are inputs that once failed.
set -eu
mkdir -p "$1"
cd "$1"
make() { ffmpeg -v error -nostdin -y -threads 1 -bitexact "$@"; }
picture="-f lavfi -i testsrc2=s=32x18:r=25:d=0.16"
sound="-f lavfi -i sine=440:r=48000:d=0.16"
x264="-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 1"

make $picture $sound $x264 -c:a aac seed.mp4
make $picture $sound $x264 -c:a aac -movflags frag_keyframe+empty_moov seed-fragments.mp4
make $picture $sound $x264 -c:a aac seed.ts
make $picture $sound -c:v flv -ar 44100 -c:a libmp3lame seed.flv
make $picture $sound -c:v ffv1 -pix_fmt yuv422p10le -c:a flac seed.mkv
make $picture $sound -c:v libvpx -c:a libvorbis seed.webm
make $picture $sound -c:v libvpx-vp9 -deadline realtime -c:a libopus seed-vp9.webm
make $picture $sound -c:v mpeg4 -c:a pcm_u8 -ar 8000 seed.avi
make $picture $sound -c:v mpeg2video -flags +ilme+ildct -c:a mp2 seed.mpg
make $picture $sound -c:v png -pix_fmt pal8 -c:a pcm_s24le -ac 6 -ar 8000 -metadata:s:v rotate=90 seed.mov
make $picture $sound -s 128x96 -c:v h263 -c:a aac -ar 44100 seed.3gp
make $picture $sound -c:v libtheora -c:a libvorbis seed.ogv
make $picture $sound -c:v wmv2 -c:a wmav2 seed.wmv
make $picture -c:v libvpx seed.ivf
make $picture -frames:v 2 seed.gif
make $picture -c:v libx265 -pix_fmt yuv420p10le -tag:v hvc1 -x265-params \
  log-level=none:info=0:transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc seed-hdr.mp4
printf '#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/x.ts\n' > seed.m3u8
