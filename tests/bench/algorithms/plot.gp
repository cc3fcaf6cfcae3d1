# Draws what algorithms_bench --curves wrote: gnuplot -c plot.gp CURVES OUT_SVG
set terminal svg size 1000,420 font "sans-serif,12" background "white"
set output ARG2
set datafile separator "\t"
set multiplot layout 1,2
set grid
set xlabel "round"
set ylabel "accuracy"
set yrange [0:0.9]
set key bottom right

algorithms = "FedAvg FedProx FedAvgM FedAdam FedYogi SCAFFOLD"
set title "Ten sites, two labels each"
plot for [i=1:6] ARG1 index i-1 using 2:3 with lines lw 2 title word(algorithms, i)

rules = "mean Median TrimmedMean GeometricMedian MultiKrum"
set key at graph 0.98, 0.45
set title "Two of the ten send four steps back"
plot for [i=1:5] ARG1 index 3+3*i+1 using 2:3 with lines lw 2 title word(rules, i)
unset multiplot
