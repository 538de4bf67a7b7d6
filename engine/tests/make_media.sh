#!/bin/sh
# Makes the clips the end-to-end tests need, once: make_media.sh DIRECTORY
set -eu
out=$1
stamp="$out/.made-by-$(cksum < "$0" | cut -d' ' -f1)"
[ -e "$stamp" ] && exit 0
rm -rf "$out"
mkdir -p "$out"
cd "$out"
make() { ffmpeg -v error -nostdin -y -threads 2 "$@"; }
x264="-c:v libx264 -preset ultrafast -threads 1"

# Three seconds with B-frames, open GOPs and sound: the clip most tests use.
make -f lavfi -i testsrc2=s=320x240:r=25:d=3 -f lavfi -i sine=440:r=48000:d=3 \
  -c:v libx264 -preset veryfast -x264-params keyint=20:min-keyint=20:open-gop=1:bframes=3:scenecut=0 \
  -pix_fmt yuv420p -c:a aac -b:a 64k -metadata:s:a language=eng base.mp4
make -i base.mp4 -c copy base.ts
make -i base.mp4 -c copy base.mkv
make -i base.mp4 -c copy -f mpegts -output_ts_offset 1000 offset.ts
make -i base.mp4 -an -c copy silent.mp4
make -i base.mp4 -vn -c copy audio.m4a
make -i base.mp4 -vn audio.mp3
# Audio 0.5 s late, and video 0.4 s late (the sound's first part is cut off).
make -itsoffset 0.5 -i base.mp4 -i base.mp4 -map 1:v -map 0:a -c copy late_audio.mkv
make -itsoffset 0.4 -i base.mp4 -i base.mp4 -map 0:v -map 1:a -c copy late_video.mp4
# A white flash and a beep at exactly 1 s (frame 25), each 0.2 s long.
make -f lavfi -i "color=black:s=320x240:r=25:d=2,geq=lum='if(between(T,0.99,1.19),235,16)':cb=128:cr=128" \
  -f lavfi -i "aevalsrc='if(between(t,1,1.2),0.8*sin(2*PI*1000*t),0)':s=48000:d=2" \
  -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac -b:a 128k flash.mp4
make -i flash.mp4 -c copy -f mpegts flash.ts
make -i flash.mp4 -c:v mpeg4 -bf 2 -q:v 3 -vtag xvid -c:a mp3 flash.avi
# Sound with a hole: the packets from 0.5 s to 1.0 s are missing.
make -f lavfi -i testsrc2=s=160x120:r=25:d=2 \
  -f lavfi -i "sine=1000:r=48000:d=2,asetnsamples=1024,aselect='not(between(t,0.5,1.0))'" \
  $x264 -pix_fmt yuv420p -c:a pcm_s16le gap.mkv
# A 5.1 source with a tone in the centre channel only, at half of full scale.
make -f lavfi -i testsrc2=s=160x120:r=25:d=1 \
  -f lavfi -i "aevalsrc='0|0|0.5*sin(2*PI*1000*t)|0|0|0':c=5.1:s=48000:d=1" \
  $x264 -pix_fmt yuv420p -c:a pcm_s16le centre.mkv

# Subtitles in every text format; the picture 0.4 s late; and some that are pictures.
printf '1\n00:00:00,500 --> 00:00:01,500\n<b>Bold</b> & plain\n\n2\n00:00:01,800 --> 00:00:02,600\nSecond\n' \
  > subtitles.srt
printf 'WEBVTT\n\n00:00.500 --> 00:01.500\n<b>Bold</b> &amp; plain\n\n00:01.800 --> 00:02.600\nSecond\n' \
  > subtitles.vtt
make -i silent.mp4 -i subtitles.srt -i subtitles.srt -i subtitles.vtt -map 0 -map 1 -map 2 -map 3 \
  -c copy -c:s:1 ass subtitles.mkv
make -i silent.mp4 -i subtitles.srt -map 0 -map 1 -c copy -c:s mov_text subtitles.mp4
make -itsoffset 0.4 -i silent.mp4 -i subtitles.srt -map 0 -map 1 -c copy subtitles_late.mkv
make -itsoffset 0.4 -i silent.mp4 -i subtitles.srt -map 0 -map 1 -c copy -c:s mov_text \
  subtitles_late.mp4
printf 'PG\0\0\0\0\0\0\0\0\200\0\0' > subtitles.sup
make -i silent.mp4 -f sup -i subtitles.sup -map 0 -map 1 -c copy subtitles_bitmap.mkv

make -i base.mp4 -c copy -map 0:v -metadata:s:v rotate=90 rotated.mp4
make -f lavfi -i testsrc2=s=320x240:r=25:d=1,setsar=4/3 $x264 -pix_fmt yuv420p sar.mp4
make -f lavfi -i testsrc=s=321x241:r=25:d=1 -pix_fmt yuv420p -c:v ffv1 odd.mkv
make -f lavfi -i testsrc=s=320x240:r=25:d=1 -pix_fmt yuv444p $x264 full_chroma.mp4
make -f lavfi -i testsrc=s=320x240:r=25:d=1 -pix_fmt yuv422p10le -c:v ffv1 ten_bit.mkv
make -f lavfi -i testsrc=s=320x240:r=25:d=1 -pix_fmt yuvj420p -c:v mjpeg full_range.avi
make -f lavfi -i testsrc=s=320x240:r=10:d=1 palette.gif
make -f lavfi -i testsrc2=s=320x240:r=25 -frames:v 1 $x264 -pix_fmt yuv420p one_frame.mp4
make -f lavfi -i "testsrc2=s=320x240:r=60:d=3,select='lt(mod(n,7),3)'" -vsync vfr $x264 \
  -g 30 -pix_fmt yuv420p vfr.mkv
make -f lavfi -i testsrc2=s=320x240:r=50:d=1 -vf interlace -flags +ilme+ildct -c:v mpeg2video \
  -q:v 3 interlaced.mpg
make -f lavfi -i testsrc2=s=320x240:r=25:d=1 -pix_fmt yuv420p10le -c:v libx265 \
  -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc hdr.mp4
make -f lavfi -i testsrc2=s=320x240:r=25:d=1 $x264 -pix_fmt yuv420p first.ts
make -f lavfi -i testsrc2=s=160x160:r=25:d=1 $x264 -pix_fmt yuv420p -output_ts_offset 1 second.ts
cat first.ts second.ts > size_change.ts
make -f lavfi -i testsrc2=s=320x240:r=25:d=1 -frames:v 1 picture.png
make -i base.mp4 -i picture.png -map 0:a -map 1:v -c:a copy -c:v copy -disposition:v attached_pic \
  cover.m4a
make -f lavfi -i "color=black:s=320x240:r=25:d=2" -f lavfi -i testsrc2=s=320x240:r=25:d=2 \
  -filter_complex "[0][1]concat" $x264 -g 25 -pix_fmt yuv420p black_start.mp4

# One key frame alone, and ten minutes with a key frame every two seconds.
make -f lavfi -i testsrc2=s=320x240:r=10:d=4 $x264 -g 1000 -x264-params scenecut=0 -pix_fmt yuv420p \
  one_key.mp4
make -i one_key.mp4 -c copy one_key.ts
make -f lavfi -i "testsrc2=s=640x360:r=5:d=20,noise=alls=20" $x264 -g 10 -b:v 600k -pix_fmt yuv420p \
  part.mp4
make -stream_loop 29 -i part.mp4 -c copy long.mp4

# Damage.
: > empty.mp4
echo "This is no video at all, whatever its name says." > text.mp4
size=$(stat -c %s base.mp4)
head -c $((size / 2)) base.mp4 > no_index.mp4
make -i base.mp4 -c copy -movflags faststart faststart.mp4
size=$(stat -c %s faststart.mp4)
head -c $((size * 60 / 100)) faststart.mp4 > cut.mp4
head -c $((size * 98 / 100)) faststart.mp4 > cut_little.mp4
size=$(stat -c %s base.mkv)
head -c $((size * 60 / 100)) base.mkv > cut.mkv
touch "$stamp"
